// The page: takes pictures from files, the clipboard or the camera, and shows what a network says.
import type { Pixels } from "@adjoin/adjoin";
import { decodeInBrowser } from "@adjoin/adjoin/pictures";
import { type Files, open, type Provider, providersOf, type Runner } from "./networks.ts";

/** How many classes have bars. */
const BARS = 6;

function element<E extends HTMLElement>(id: string): E {
  return document.getElementById(id) as E;
}

const [answer, camera] = [element("answer"), element("camera")];
const file = element<HTMLInputElement>("file");
const picture = element<HTMLImageElement>("picture");
const video = element<HTMLVideoElement>("video");
const radios = [...document.querySelectorAll<HTMLInputElement>("#providers input")];

let files: Files = {};
let runner: Runner | undefined;
/** The picture that is shown, but for the camera's. */
let shown: Blob | undefined;

function complain(error: unknown): void {
  answer.textContent = error instanceof Error ? error.message : String(error);
  element("classes").replaceChildren();
  element("times").textContent = "";
}

/** Shows what the network says of pixels. */
async function look(pixels: Pixels): Promise<void> {
  if (!runner) return;
  const start = performance.now();
  const found = await runner.classify(pixels);
  const time = performance.now() - start;
  const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
  answer.textContent = `${found[0].class}, ${percent(found[0].probability)}`;
  element("classes").replaceChildren(
    ...found.slice(0, BARS).map((one) => {
      const item = document.createElement("li");
      item.style.setProperty("--share", `${100 * one.probability}%`);
      item.append(one.class, document.createElement("span"));
      item.lastElementChild!.textContent = percent(one.probability);
      return item;
    }),
  );
  element("times").textContent = `${time.toFixed(1)} ms from the decoded picture to the classes`;
}

async function show(chosen: Blob): Promise<void> {
  shown = chosen;
  URL.revokeObjectURL(picture.src);
  picture.src = URL.createObjectURL(chosen);
  stopCamera();
  await look(await decodeInBrowser(chosen));
}

function stopCamera(): void {
  for (const track of (video.srcObject as MediaStream | null)?.getTracks() ?? []) track.stop();
  video.srcObject = null;
  video.hidden = true;
  picture.hidden = !shown;
  element("invitation").hidden = shown !== undefined;
  camera.setAttribute("aria-pressed", "false");
}

/** Shows what the camera sees, one frame after the other. */
async function startCamera(): Promise<void> {
  const stream = await navigator.mediaDevices.getUserMedia({
    video: { facingMode: "environment" },
  });
  video.srcObject = stream;
  await video.play();
  video.hidden = false;
  picture.hidden = element("invitation").hidden = true;
  camera.setAttribute("aria-pressed", "true");
  const { videoWidth: width, videoHeight: height } = video;
  const context = new OffscreenCanvas(width, height).getContext("2d", {
    willReadFrequently: true,
  })!;
  while (video.srcObject === stream) {
    context.drawImage(video, 0, 0);
    const { data: pixels } = context.getImageData(0, 0, width, height);
    await next(() => look({ width, height, channels: 4, pixels }));
    await new Promise(requestAnimationFrame);
  }
}

/** Opens the network on a provider; the next picture is for it. */
async function use(provider: Provider): Promise<void> {
  answer.textContent = "Preparing the network…";
  await runner?.close();
  runner = undefined;
  const opened = await open(files, provider);
  const { classes, image: [height, width], top1 } = opened;
  // The first run compiles.
  await opened.classify({ height, width, channels: 3, pixels: new Uint8Array(height * width * 3) });
  runner = opened;
  for (const radio of radios) radio.checked = radio.value === provider;
  const right = top1 === undefined ? "" : `, ${(100 * top1).toFixed(1)} % right in validation`;
  element("about").textContent = `${classes.length} classes, ${width} × ${height} pixels${right}`;
  answer.textContent = "Ready.";
  if (shown) await look(await decodeInBrowser(shown));
}

/** Takes files of a network. */
async function load(found: Files): Promise<void> {
  files = found;
  const providers = await providersOf(files);
  for (const radio of radios) radio.disabled = !providers.some((name) => name === radio.value);
  element<HTMLFieldSetElement>("providers").disabled = false;
  if (providers.length) await use(providers[0]);
  else answer.textContent = "Drop small.onnx or small.safetensors of a run here.";
}

/** The bytes of a file beside the page; nothing where it is not there. */
async function fetched(name: string): Promise<Uint8Array | undefined> {
  const response = await fetch(name);
  return response.ok ? new Uint8Array(await response.arrayBuffer()) : undefined;
}

/** Takes what is dropped, chosen or pasted: a network, or a picture. */
async function take(dropped: readonly File[]): Promise<void> {
  const ending = async (end: string): Promise<Uint8Array | undefined> =>
    await dropped.find(({ name }) => name.endsWith(end))?.bytes();
  const [onnx, safetensors] = [await ending(".onnx"), await ending(".safetensors")];
  if (onnx || safetensors) await load({ onnx, safetensors });
  else if (dropped.length) await show(dropped[0]);
}

/** One thing after the other, and what goes wrong is shown. */
let queue = Promise.resolve();
function next(work: () => Promise<void>): Promise<void> {
  return queue = queue.then(work).catch(complain);
}

file.addEventListener("change", () => {
  const chosen = [...file.files ?? []];
  // So that the same file can be chosen again.
  file.value = "";
  next(() => take(chosen));
});
addEventListener("dragover", (event) => event.preventDefault());
addEventListener("drop", (event) => {
  event.preventDefault();
  const dropped = [...event.dataTransfer?.files ?? []];
  next(() => take(dropped));
});
addEventListener("paste", (event) => {
  const pasted = [...event.clipboardData?.files ?? []];
  next(() => take(pasted));
});
camera.addEventListener("click", () => {
  if (video.srcObject) stopCamera();
  else startCamera().catch(complain);
});
for (const radio of radios) {
  radio.addEventListener("change", () => next(() => use(radio.value as Provider)));
}
next(async () => {
  const [onnx, safetensors] = [await fetched("small.onnx"), await fetched("small.safetensors")];
  await load({ onnx, safetensors });
});
