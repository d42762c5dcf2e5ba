// The live page: hears of changes, fetches the page anew, and swaps the sections that differ.
const bar = document.getElementById("live");
const [state, words, track] = ["state", "words", "track"].map((name) =>
  bar.querySelector(`.live-${name}`)
);
const TEXTS = { running: "live", finished: "ended", stopped: "stopped", lost: "connection lost" };

/** The version that is shown, and the one that is being fetched. */
let shown = Number(bar.dataset.version);
let fetching = false;
let wanted = shown;

function duration(seconds) {
  const two = (value) => String(value).padStart(2, "0");
  const whole = Math.round(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

function show(name, progress) {
  bar.className = name;
  state.textContent = TEXTS[name] ?? name;
  const eta = progress?.eta === undefined ? "" : `, ${duration(progress.eta)} left`;
  words.textContent = progress ? progress.words + eta : "";
  track.hidden = !progress;
  if (progress) track.firstElementChild.style.width = `${100 * Math.min(1, progress.done)}%`;
}

/** What is opened stays open. */
function keepOpen(before, after) {
  const old = [...before.querySelectorAll("details")];
  [...after.querySelectorAll("details")].forEach((one, i) => {
    if (old[i]) one.open = old[i].open;
  });
}

/** Puts the sections of a new page in the place of those that differ; what is seen stays in place. */
function swap(next) {
  const main = document.querySelector("main");
  const first = [...main.children].find((one) => one.getBoundingClientRect().bottom > 60);
  const top = first?.getBoundingClientRect().top;
  const sections = [...next.querySelector("main").children];
  const ids = new Set(sections.map(({ id }) => id));
  for (const old of [...main.children]) if (!ids.has(old.id)) old.remove();
  let changed = 0;
  sections.forEach((section, i) => {
    const source = section.outerHTML;
    const old = [...main.children].find(({ id }) => id === section.id);
    if (old && (old.source ??= old.outerHTML) === source) return;
    const fresh = document.importNode(section, true);
    fresh.source = source;
    changed++;
    if (old) {
      keepOpen(old, fresh);
      old.replaceWith(fresh);
    } else main.insertBefore(fresh, main.children[i] ?? null);
  });
  document.title = next.title;
  const same = first && (first.isConnected ? first : document.getElementById(first.id));
  if (same) scrollBy({ top: same.getBoundingClientRect().top - top, behavior: "instant" });
  bar.dataset.changed = String(changed);
}

async function update() {
  if (fetching) return;
  fetching = true;
  try {
    while (shown < wanted) {
      const response = await fetch(location.pathname, { cache: "no-store" });
      if (!response.ok) break;
      const next = new DOMParser().parseFromString(await response.text(), "text/html");
      const { version } = next.getElementById("live").dataset;
      if (Number(version) > shown) swap(next);
      shown = Number(version);
      bar.dataset.version = version;
      // Pages are drawn every few seconds: this one may be from before the change.
      if (shown < wanted) await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  } catch { /* The source of events says that the connection is lost. */ }
  fetching = false;
}

const events = new EventSource("live/events");
events.onmessage = ({ data }) => {
  const { version, status, progress } = JSON.parse(data);
  show(status, progress);
  // A run that goes on counts anew where another process serves it.
  if (version < shown) shown = -1;
  wanted = version;
  update();
};
events.onerror = () => {
  if (bar.className !== "finished") show("lost");
};
