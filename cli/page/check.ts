// The page of `export --browser`: runs batches in WebGPU that the command line hands it, one by one.
import { parseJson } from "../../data/json.ts";
import { BrowserNetwork, type Described, findAdapter } from "./network.ts";

const info = parseJson(await (await fetch("info")).text()) as Described;

async function send(path: string, body: BodyInit): Promise<void> {
  await fetch(path, { method: "POST", body });
}

async function run(): Promise<void> {
  const adapter = await findAdapter();
  if (!adapter) return await send("none", "");
  const model = new Uint8Array(await (await fetch("model")).arrayBuffer());
  const folder = new URL("runtime/", location.href).href;
  const network = await BrowserNetwork.open(model, { info, provider: "webgpu", folder });
  await send("ready", JSON.stringify(adapter));
  const [height, width, channels] = info.image;
  while (true) {
    const batch = await fetch("next");
    // There are no more.
    if (batch.status !== 200) return;
    const pixels = new Uint8Array(await batch.arrayBuffer());
    const count = pixels.length / (height * width * channels);
    await send("logits", new Uint8Array((await network.logits({ pixels, count })).slice().buffer));
  }
}

try {
  await run();
} catch (error) {
  await send("problem", error instanceof Error ? error.message : String(error));
}
