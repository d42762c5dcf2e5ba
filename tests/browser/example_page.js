// Drops pictures and networks on the page of examples/web; sends what it shows.
const frame = document.createElement("iframe");
frame.width = 390;
frame.height = 900;
frame.src = "/index.html";
document.body.append(frame);
await new Promise((loaded) => frame.addEventListener("load", loaded, { once: true }));

const { document: page, DataTransfer, DragEvent, File, fetch } = frame.contentWindow;
const text = (id) => page.getElementById(id).textContent;

/** Waits until something holds; says what is shown where it never does. */
async function until(holds) {
  const end = performance.now() + 100_000;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`${holds}: ${page.body.innerText}`);
    await new Promise((later) => setTimeout(later, 20));
  }
}

async function drop(...names) {
  const dataTransfer = new DataTransfer();
  for (const name of names) {
    dataTransfer.items.add(new File([await (await fetch(`/${name}`)).blob()], name));
  }
  page.body.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
}

/** What is shown, once a picture has been looked at. */
async function shown() {
  await until(() => text("times") !== "");
  return [...page.querySelectorAll("#classes li")].map((item) => ({
    class: item.firstChild.textContent,
    probability: parseFloat(item.style.getPropertyValue("--share")) / 100,
  }));
}

async function on(provider) {
  page.getElementById("times").textContent = "";
  page.querySelector(`input[value=${provider}]`).click();
  return await shown();
}

await until(() => text("answer") === "Ready.");
const about = text("about");
await drop("notes.txt");
await until(() => text("answer") !== "Ready.");
const broken = text("answer");
await drop("first.png");
await shown();
const found = { about, broken };
for (const provider of ["adjoin", "webgpu", "wasm"]) found[provider] = await on(provider);
page.getElementById("times").textContent = "";
await drop("other/small.onnx");
found.other = await shown();
found.enabled = [...page.querySelectorAll("#providers input:enabled")].map(({ value }) => value);
found.width = page.documentElement.scrollWidth;
void globalThis.fetch("/found", { method: "POST", body: JSON.stringify(found) });
