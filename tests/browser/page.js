// Drops files on the page of an export, chooses one, takes the other provider; sends what it shows.
const frame = document.createElement("iframe");
frame.width = 1280;
frame.height = 900;
frame.src = "/net.html";
document.body.append(frame);
await new Promise((loaded) => frame.addEventListener("load", loaded, { once: true }));

const { document: page, DataTransfer, DragEvent, Event } = frame.contentWindow;
const text = (id) => page.getElementById(id).textContent;

/** Waits until something holds. */
async function until(holds) {
  while (!holds()) await new Promise((later) => setTimeout(later, 20));
}

const ready = () => text("status").startsWith("Ready");
const problem = () => !page.getElementById("problem").hidden;
const items = () => [...page.querySelectorAll("#classes li[data-probability]")];

async function held(name) {
  const blob = await (await fetch(`/${name}`)).blob();
  const held = new DataTransfer();
  held.items.add(new File([blob], name));
  return held;
}

/** What is shown once there is something to see. */
async function shown() {
  await until(() => problem() || items().length > 0);
  return {
    problem: problem() ? text("problem") : undefined,
    times: text("times"),
    status: text("status"),
    found: items().map((item) => ({
      class: item.querySelector(".name").textContent,
      probability: Number(item.dataset.probability),
    })),
  };
}

function clear() {
  for (const item of items()) item.remove();
  page.getElementById("problem").hidden = true;
}

async function dropped(name) {
  clear();
  const options = { dataTransfer: await held(name), bubbles: true, cancelable: true };
  page.getElementById("drop").dispatchEvent(new DragEvent("drop", options));
  return await shown();
}

async function chosen(name) {
  clear();
  const input = page.getElementById("file");
  input.files = (await held(name)).files;
  input.dispatchEvent(new Event("change", { bubbles: true }));
  return await shown();
}

async function onWebGpu() {
  clear();
  page.querySelector("input[value=webgpu]").click();
  await until(() => !ready());
  await until(ready);
  return await shown();
}

await until(ready);
const found = {
  names: [...page.querySelectorAll("#classes li")].map((item) => item.textContent),
  dropped: await dropped("first.png"),
  broken: await dropped("notes.txt"),
  chosen: await chosen("second.png"),
  webgpu: await onWebGpu(),
  width: page.documentElement.scrollWidth,
};
void fetch("/found", { method: "POST", body: JSON.stringify(found) });
