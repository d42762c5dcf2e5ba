import { fileURLToPath } from "node:url";
import { Random } from "../data/random.ts";
import { loadSharp } from "../pictures/sharp.ts";

/** Photographs, and their size. */
const [COUNT, WIDTH, HEIGHT] = [96, 400, 533];

/** Waves of colour under noise, as JPEG: about as many bytes as a photograph of this size. */
async function photograph(index: number): Promise<Uint8Array> {
  const random = new Random(index, "a photograph");
  const pixels = new Uint8Array(WIDTH * HEIGHT * 3);
  const [a, b] = [20 + 20 * random.uniform(), 20 + 20 * random.uniform()];
  for (let y = 0, at = 0; y < HEIGHT; y++) {
    for (let x = 0; x < WIDTH; x++) {
      const noise = 30 * (random.uniform() - 0.5);
      for (let c = 0; c < 3; c++, at++) {
        pixels[at] = 128 + 90 * Math.sin(x / a + c) * Math.cos(y / b - c) + noise;
      }
    }
  }
  const sharp = await loadSharp();
  const raw = { width: WIDTH, height: HEIGHT, channels: 3 } as const;
  return await sharp(pixels, { raw }).jpeg().toBuffer();
}

/** The folder of runs: the one place that the bench may write to. */
const RUNS = fileURLToPath(new URL("../runs", import.meta.url));

/** Makes photographs of two classes in a folder that is gone afterwards. */
export async function withMadePictures<T>(use: (dir: string) => Promise<T>): Promise<T> {
  await Deno.mkdir(RUNS, { recursive: true });
  const dir = await Deno.makeTempDir({ dir: RUNS, prefix: "photographs-" });
  try {
    for (let i = 0; i < COUNT; i++) {
      const folder = `${dir}/${i % 2 ? "a" : "b"}`;
      await Deno.mkdir(folder, { recursive: true });
      await Deno.writeFile(`${folder}/${i}.jpg`, await photograph(i));
    }
    return await use(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}
