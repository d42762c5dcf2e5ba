// What command lines read in tests: networks that were trained on the recorder, widths and images.
import { assertEquals } from "@std/assert";
import { cp } from "node:fs/promises";
import { encodeSafetensors, parseSafetensors } from "../data/safetensors.ts";
import { encode, noise } from "./made_pictures.ts";
import { BASES } from "./option_effects.ts";
import { writeLossyRun } from "./lossy_run.ts";
import { makePictures } from "./picture_folders.ts";
import { observe } from "./recorder.ts";

/** The words of a command line, with the paths of two folders in them. */
export function words(line: string, { dir, made }: { dir: string; made: string }): string[] {
  return line.replaceAll("{dir}", dir).replaceAll("{made}", made).split(" ");
}

/** An IDX file of unsigned bytes. */
function idx(shape: readonly number[], valueAt: (i: number) => number): Uint8Array {
  const head = new DataView(new ArrayBuffer(4 + 4 * shape.length));
  head.setUint32(0, 0x800 + shape.length);
  shape.forEach((d, k) => head.setUint32(4 + 4 * k, d));
  const values = Uint8Array.from(
    { length: shape.reduce((n, d) => n * d, 1) },
    (_, i) => valueAt(i),
  );
  return Uint8Array.of(...new Uint8Array(head.buffer), ...values);
}

/** A folder of grey images of 12 pixels a side, none of which is like another. */
function writeImages(folder: string, step: number, training = 8): void {
  Deno.mkdirSync(folder);
  for (const [half, count] of [["train", training], ["t10k", 8]] as const) {
    const pixel = (i: number): number => (i * step + (i >> 5) * 13) % 251;
    Deno.writeFileSync(`${folder}/${half}-images-idx3-ubyte`, idx([count, 12, 12], pixel));
    Deno.writeFileSync(`${folder}/${half}-labels-idx1-ubyte`, idx([count], (i) => i % 4));
  }
}

/**
 * Trains on the recorder, and then sets all weights to a value: the device reads 1 for all logits,
 * and so has the network.
 */
async function writeRun(
  made: string,
  { name, args = "", value }: { name: string; args?: string; value: number },
): Promise<void> {
  const folder = `${made}/${name}`;
  Deno.mkdirSync(folder);
  const line = `${BASES.train} --output {dir} ${args}`.trim();
  const { code, printed } = await observe(words(line, { dir: folder, made }), `${made}/tiles`);
  assertEquals(code, 0, printed);
  for (const name of ["base", "small"]) {
    const path = `${folder}/${name}.safetensors`;
    const { tensors, metadata } = parseSafetensors(Deno.readFileSync(path));
    const state = new Map([...tensors].map(([name, { shape, data }]) => {
      const fill = name === "fc.weight" ? 0 : name === "fc.bias" ? 1 : value;
      return [name, { shape, data: new Float32Array(data.length).fill(fill) }];
    }));
    Deno.writeFileSync(path, encodeSafetensors(state, metadata));
  }
}

/** Photographs of two classes, eight to train and eight to validate on, of which one is broken. */
async function writePhotos(folder: string): Promise<void> {
  for (const half of ["train", "val"]) {
    for (const name of ["a", "b"]) {
      const path = `${folder}/${half}/${name}`;
      Deno.mkdirSync(path, { recursive: true });
      for (let i = 0; i < 4; i++) {
        const bytes = await encode(noise(14 + i, 16, 3), "png");
        const broken = half === "val" && name === "b" && i === 3;
        Deno.writeFileSync(`${path}/${i}.png`, broken ? bytes.subarray(0, 100) : bytes);
      }
    }
  }
}

/** Times tiles for the shortest runs: most of their time, once for all commands. */
async function writeTiles(made: string): Promise<void> {
  const folder = `${made}/tiles`;
  Deno.mkdirSync(folder);
  for (const line of [BASES.train, BASES.search]) {
    const { code, printed } = await observe(words(line, { dir: folder, made }), folder);
    assertEquals(code, 0, printed);
    await Deno.remove(`${folder}/run`, { recursive: true });
  }
}

/** Gives a command whose files are those of `folder` the tiles that were timed before. */
export async function giveTiles(made: string, folder: string): Promise<void> {
  await cp(`${made}/tiles/cache`, `${folder}/cache`, { recursive: true });
}

/** A reference file that holds on the recorder, which reads 1 of all. */
function writeReference(folder: string): void {
  const ones = { shape: [4], data: new Float32Array(4).fill(1) };
  Deno.mkdirSync(folder);
  const tensors = ["x", "y", "dy", "dx"].map((name) => [name, ones] as const);
  Deno.writeFileSync(`${folder}/relu.safetensors`, encodeSafetensors(new Map(tensors), {}));
}

/** Fills a folder with all that {@link BASES} and the effects of options name in it. */
export async function makeInputs(made: string): Promise<void> {
  await writeTiles(made);
  await Deno.writeTextFile(`${made}/config.json`, '{"imageSize":24}');
  writeImages(`${made}/idx`, 7);
  writeImages(`${made}/other-idx`, 11);
  writeImages(`${made}/large-idx`, 7, 16);
  await makePictures(`${made}/pictures`, [
    "train/a/1.png",
    "train/b/1.png",
    "val/a/1.png",
    "val/b/1.png",
  ]);
  await writePhotos(`${made}/photos`);
  await makePictures(`${made}/many`, Array.from({ length: 20 }, (_, i) => `a/${i}.png`));
  await writeRun(made, { name: "a", value: 0.5 });
  await writeRun(made, { name: "b", value: 0.25 });
  await writeRun(made, { name: "c", args: "--normalization imagenet", value: 0.5 });
  await writeRun(made, {
    name: "idx-run",
    args: "--dataset idx --data-dir {made}/idx",
    value: 0.5,
  });
  await writeRun(made, {
    name: "photos-run",
    args: "--dataset folder --data-dir {made}/photos --image-size 12",
    value: 0.5,
  });
  writeReference(`${made}/parity`);
  await writeLossyRun(`${made}/lossy-run`);
  Deno.writeTextFileSync(`${made}/other-widths.json`, '{"layer2.0.conv1": 20}');
  Deno.writeTextFileSync(`${made}/widths.json`, '{"layer2.0.conv1": 12}');
}
