// A run of a network that is right about all images in floats, and about half of them in integers.
import { encodeCheckpoint } from "../export/checkpoint.ts";
import { network } from "../nn/network.ts";

/** Pixels of a side. */
const SIDE = 4;

/** Dark and bright images in turn, as an IDX file. */
function images(count: number): Uint8Array {
  const head = [0, 0, 8, 3, 0, 0, 0, count, 0, 0, 0, SIDE, 0, 0, 0, SIDE];
  const pixels = Array.from({ length: count * SIDE * SIDE }, (_, i) => {
    const bright = Math.floor(i / (SIDE * SIDE)) % 2;
    return bright * 150 + (i * 7) % 100;
  });
  return Uint8Array.from([...head, ...pixels]);
}

/** Whether they are bright, as an IDX file of labels. */
function labels(count: number): Uint8Array {
  return Uint8Array.from([
    0,
    0,
    8,
    1,
    0,
    0,
    0,
    count,
    ...Array.from({ length: count }, (_, i) => i % 2),
  ]);
}

/**
 * Writes a run into a folder, and its images into `images` in it. A channel of the network is so
 * large, and without meaning, that the other one, which tells dark from bright, is lost beside it
 * where both have one range of 256 steps: top-1 falls by 50 points.
 */
export async function writeLossyRun(folder: string, count = 8): Promise<void> {
  await Deno.mkdir(`${folder}/images`, { recursive: true });
  for (const half of ["train", "t10k"]) {
    await Deno.writeFile(`${folder}/images/${half}-images-idx3-ubyte`, images(count));
    await Deno.writeFile(`${folder}/images/${half}-labels-idx1-ubyte`, labels(count));
  }
  const made = network({ channels: 1 }, (n) => {
    const x = n.conv2d(n.image, { name: "both", out: 2, kernel: 1, bias: true });
    n.linear(n.globalAvgPool2d(x), { name: "fc", out: 2 });
  });
  const state = new Map(
    Object.entries({
      "both.weight": [1, 0],
      "both.bias": [0, 1e5],
      // [in, out]
      "fc.weight": [-1, 1, 0, 0],
      "fc.bias": [1e-6, 0],
    }).map(([name, values]) => [name, Float32Array.from(values)]),
  );
  const bytes = encodeCheckpoint(made, state, {
    which: "small",
    classes: ["0", "1"],
    image: [SIDE, SIDE, 1],
    normalization: { mean: [0.5], std: [0.25] },
    top1: 1,
  });
  await Deno.writeFile(`${folder}/small.safetensors`, bytes);
  const config = { dataset: "idx", dataDir: `${folder}/images`, seed: 0 };
  await Deno.writeTextFile(`${folder}/config.json`, JSON.stringify(config));
  await Deno.writeTextFile(`${folder}/summary.json`, "{}");
}
