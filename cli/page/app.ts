// The page beside an ONNX file: says what a picture shows that is dropped, chosen or pasted.
import { parseJson } from "../../data/json.ts";
import type { Picture } from "../../data/picture.ts";
import { BrokenPictureError, decodeInBrowser } from "../../pictures/browser.ts";
import {
  type Adapter,
  BrowserNetwork,
  findAdapter,
  probabilities,
  type Provider,
} from "./network.ts";
import type { PageData } from "./page_data.ts";

/** How many classes have bars, and how many names are shown before there is a picture. */
const BARS = 10;
const NAMES = 40;

const WORDS: Readonly<Record<Provider, string>> = { webgpu: "WebGPU", wasm: "WebAssembly" };

function element<E extends HTMLElement>(id: string): E {
  return document.getElementById(id) as E;
}

const data = parseJson(element("network").textContent ?? "") as PageData;
const file = element<HTMLInputElement>("file");
const drop = element("drop");
const preview = element<HTMLImageElement>("preview");
const radios = [...document.querySelectorAll<HTMLInputElement>("#providers input")];

function say(text: string): void {
  element("status").textContent = text;
}

function complain(text?: string): void {
  element("problem").hidden = text === undefined;
  element("problem").textContent = text ?? "";
}

function words(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, 300);
}

function milliseconds(time: number): string {
  return `${time < 9.95 ? time.toFixed(1) : Math.round(time)} ms`;
}

function span(name: string, text = ""): HTMLSpanElement {
  const made = document.createElement("span");
  made.className = name;
  made.textContent = text;
  return made;
}

/** The names of the classes, where there is no picture yet. */
function showNames(): void {
  element("classes").className = "names";
  element("classes").replaceChildren(
    ...data.classes.slice(0, NAMES).map((name) => {
      const item = document.createElement("li");
      item.textContent = name;
      return item;
    }),
  );
  const rest = data.classes.length - NAMES;
  element("rest").textContent = rest > 0 ? `and ${rest} more` : "";
}

function showClasses(shares: readonly number[]): void {
  const order = shares.map((share, i) => ({ share, name: data.classes[i] }))
    .sort((a, b) => b.share - a.share);
  element("classes").className = "";
  element("classes").replaceChildren(
    ...order.slice(0, BARS).map(({ share, name }, i) => {
      const item = document.createElement("li");
      if (i === 0) item.className = "first";
      item.dataset.probability = String(share);
      const [track, bar] = [span("track"), span("bar")];
      bar.style.width = `${100 * share}%`;
      track.append(bar);
      item.append(span("name", name), span("share", `${(100 * share).toFixed(1)} %`), track);
      return item;
    }),
  );
  const rest = order.slice(BARS).reduce((sum, { share }) => sum + share, 0);
  element("rest").textContent = order.length > BARS
    ? `${order.length - BARS} more classes: ${(100 * rest).toFixed(1)} % together`
    : "";
}

/** Shows the pixels that the network is given. */
function showCrop({ height, width, channels, pixels }: Picture): void {
  const canvas = element<HTMLCanvasElement>("crop");
  [canvas.height, canvas.width] = [height, width];
  const drawn = new ImageData(width, height);
  for (let i = 0; i < height * width; i++) {
    for (let c = 0; c < 3; c++) drawn.data[4 * i + c] = pixels[channels * i + c % channels];
    drawn.data[4 * i + 3] = 255;
  }
  canvas.getContext("2d")?.putImageData(drawn, 0, 0);
}

let network: BrowserNetwork | undefined;
let adapter: Adapter | undefined;
/** The picture that is shown. */
let shown: File | undefined;
/** One thing after the other: onnxruntime runs one network at a time. */
let queue = Promise.resolve();

function next(work: () => Promise<void>): void {
  queue = queue.then(work).catch((error) => {
    complain(`Something went wrong: ${words(error)}`);
    say("Stopped.");
  });
}

async function classify(picture: File): Promise<void> {
  if (!network || picture !== shown) return;
  const name = picture.name || "What was pasted";
  const started = performance.now();
  let prepared: Picture;
  try {
    prepared = await decodeInBrowser(picture, data.preparation);
  } catch (error) {
    if (!(error instanceof BrokenPictureError)) throw error;
    preview.hidden = element("seen").hidden = true;
    element("invitation").hidden = false;
    showNames();
    return complain(`${name}: ${error.message}.`);
  }
  const ready = performance.now();
  const logits = await network.logits({ ...prepared, count: 1 });
  const done = performance.now();
  if (!logits.every(Number.isFinite)) {
    return complain(`${name}: the network's scores are no numbers on ${WORDS[network.provider]}.`);
  }
  complain();
  showClasses(probabilities(logits));
  showCrop(prepared);
  const { height, width } = prepared;
  element("times").textContent = `What the network sees, ${width} × ${height} pixels: ` +
    `${milliseconds(done - ready)} on ${WORDS[network.provider]}, ` +
    `${milliseconds(ready - started)} to decode and resize.`;
  element("seen").hidden = false;
}

function show(picture: File): void {
  shown = picture;
  complain();
  URL.revokeObjectURL(preview.src);
  preview.src = URL.createObjectURL(picture);
  preview.alt = picture.name || "the pasted picture";
  preview.hidden = false;
  element("invitation").hidden = true;
  next(() => classify(picture));
}

function readyWords(provider: Provider): string {
  if (provider === "wasm") {
    return `Ready, on ${WORDS.wasm}${adapter ? "" : "; this browser has no WebGPU"}.`;
  }
  return `Ready, on ${WORDS.webgpu}: ${adapter?.name}${adapter?.software ? ", in software" : ""}.`;
}

async function use(provider: Provider, model: Uint8Array): Promise<void> {
  say(`Preparing the network on ${WORDS[provider]}…`);
  await network?.close();
  network = undefined;
  const folder = new URL(`${data.runtime}/`, location.href).href;
  const opened = await BrowserNetwork.open(model, { info: data, provider, folder });
  // The first run compiles.
  const [height, width, channels] = data.image;
  await opened.logits({ pixels: new Uint8Array(height * width * channels), count: 1 });
  network = opened;
  for (const radio of radios) radio.checked = radio.value === provider;
  say(readyWords(provider));
  if (shown) await classify(shown);
}

/** Takes the other provider, and WebAssembly where WebGPU fails. */
async function turnTo(provider: Provider, model: Uint8Array): Promise<void> {
  try {
    await use(provider, model);
  } catch (error) {
    if (provider === "wasm") throw error;
    await use("wasm", model);
    complain(`WebGPU cannot run this network: ${words(error)}`);
  }
}

async function load(): Promise<Uint8Array> {
  const response = await fetch(data.model).catch(() => undefined);
  if (response?.ok) return new Uint8Array(await response.arrayBuffer());
  throw new Error(
    `${data.model} is not beside this page; the page, ${data.model} and ${data.runtime} belong in ` +
      `one folder`,
  );
}

function firstFile(items: FileList | undefined): File | undefined {
  return items && [...items][0];
}

function listen(): void {
  file.addEventListener("change", () => {
    const chosen = firstFile(file.files ?? undefined);
    if (chosen) show(chosen);
    // So that the same file can be chosen again.
    file.value = "";
  });
  addEventListener("dragover", (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
  addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) drop.classList.remove("over");
  });
  addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    const dropped = firstFile(event.dataTransfer?.files);
    if (dropped) show(dropped);
    else complain("What was dropped is no file; save the picture, and drop that.");
  });
  addEventListener("paste", (event) => {
    const pasted = firstFile(event.clipboardData?.files);
    if (pasted) show(pasted);
  });
}

function about(): string {
  const [height, width] = data.image;
  const top1 = data.top1 === undefined
    ? ""
    : ` ${(100 * data.top1).toFixed(1)} % of the validation pictures right.`;
  return `Tells ${data.classes.length} classes apart in pictures of ${width} × ${height} pixels.` +
    top1;
}

function start(): void {
  element("about").textContent = about();
  showNames();
  listen();
  next(async () => {
    const model = await load();
    adapter = await findAdapter();
    for (const radio of radios) {
      radio.disabled = radio.value === "webgpu" && !adapter;
      radio.addEventListener("change", () => {
        complain();
        next(() => turnTo(radio.value === "webgpu" ? "webgpu" : "wasm", model));
      });
    }
    await turnTo(adapter && !adapter.software ? "webgpu" : "wasm", model);
  });
}

if (location.protocol !== "file:") start();
