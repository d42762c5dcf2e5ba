// Training images as networks see them do not depend on how many workers decode.
import { assert, assertEquals } from "@std/assert";
import { readArguments } from "../cli/arguments.ts";
import { trainRequest } from "../cli/options.ts";
import { openJob } from "../cli/run/open_run.ts";
import { Gpu } from "../kernels/gpu.ts";
import { openPicturePool } from "../pictures/picture_pool.ts";
import { augmentedBatch } from "../train/augmented_batch.ts";
import { withFolder } from "./folder.ts";
import { encode, noise } from "./made_pictures.ts";
import { lacks } from "./permissions.ts";

const AUGMENTED = "--color-jitter 0.4 --aa rand-m9-n2 --reprob 0.5 --mixup 0.4 --cutmix 1";

Deno.test(
  "the same seed gives the same pixels for 1 and 4 workers, and another seed others",
  { ignore: lacks("read", "write", "env", "ffi") },
  () =>
    withFolder(async (dir) => {
      for (const name of ["train/a", "train/b", "val/a", "val/b"]) {
        await Deno.mkdir(`${dir}/${name}`, { recursive: true });
        for (let i = 0; i < 5; i++) {
          const bytes = await encode(noise(20 + 3 * i, 40 - 2 * i, 3), "jpeg");
          await Deno.writeFile(`${dir}/${name}/${i}.jpg`, bytes);
        }
      }
      const gpu = await Gpu.open();
      const seen = async (workers: number, seed: number) => {
        const flags =
          `--data-dir ${dir} --dataset folder --image-size 12 --batch-size 8 --seed ${seed}`;
        const words = `${flags} --normalization imagenet ${AUGMENTED}`.split(" ");
        const { options } = trainRequest(readArguments("train", words));
        using pool = openPicturePool({ dataDir: dir, workers, cache: "none" });
        const images = await augmentedBatch(gpu, await openJob(options, pool.open));
        return images.map(({ picture, classes }) => ({ pixels: [...picture.pixels], classes }));
      };
      try {
        const one = await seen(1, 3);
        assertEquals(one.length, 8);
        assertEquals(await seen(4, 3), one);
        const other = await seen(1, 4);
        assert(JSON.stringify(other) !== JSON.stringify(one));
      } finally {
        gpu.destroy();
      }
    }),
);
