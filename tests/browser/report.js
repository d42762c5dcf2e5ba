// Opens pages of reports in frames as wide as screens; sends what is wrong with them.
const found = {};
for (const name of ["run", "several", "search", "compared"]) {
  for (const width of [390, 1280]) {
    const frame = document.createElement("iframe");
    frame.width = width;
    frame.height = 900;
    frame.src = `/${name}.html`;
    document.body.append(frame);
    await new Promise((loaded) => frame.addEventListener("load", loaded, { once: true }));
    const { document: page, performance } = frame.contentWindow;
    const { clientWidth, scrollWidth } = page.documentElement;
    const seen = (element) => element.getClientRects().length > 0;
    const plots = [...page.querySelectorAll(".plot")].filter(seen);
    const kinds = 'line"] path, dot"] circle, cell"] rect, rect"]:not([fill="transparent"]) rect';
    const drawn = kinds.split(", ").map((kind) => `[aria-label="${kind}`).join(", ");
    const marks = (plot) =>
      [...plot.querySelectorAll(drawn)].filter((mark) => {
        const { width, height } = mark.getBoundingClientRect();
        return width + height > 4;
      });
    const box = (plot) => plot.getBoundingClientRect();
    found[`${name} ${width}`] = {
      plots: plots.length,
      empty: plots.filter((plot) => marks(plot).length < 1).map((plot) =>
        plot.innerHTML.slice(0, 200)
      ),
      outside: plots.filter((plot) =>
        box(plot).right > clientWidth || box(plot).height < 60
      ).length,
      overflow: scrollWidth - clientWidth,
      loaded: performance.getEntriesByType("resource").map((entry) => entry.name)
        .filter((url) => !url.startsWith("data:")),
      broken: [...page.querySelectorAll("img")].filter(seen)
        .filter((image) => image.loading !== "lazy" && image.naturalWidth === 0).length,
    };
    frame.remove();
  }
}
await fetch("/found", { method: "POST", body: JSON.stringify(found) });
