// The first batch of a run as networks see it: what is in it, and its picture in the run folder.
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { drawBatch } from "../cli/report/batch_picture.ts";
import { inRunFolder } from "../cli/run/session.ts";
import { openJob } from "../cli/run/open_run.ts";
import { readArguments } from "../cli/arguments.ts";
import { trainRequest } from "../cli/options.ts";
import { Gpu } from "../kernels/gpu.ts";
import { pictureKind } from "../data/picture_kind.ts";
import { loadSharp } from "../pictures/sharp.ts";
import { augmentedBatch, type AugmentedImage } from "../train/augmented_batch.ts";
import { withFolder } from "./folder.ts";
import { lacks } from "./permissions.ts";

const ignore = lacks("read", "write", "env", "ffi");

const SIZES = ["--train-size", "16", "--val-size", "8", "--batch-size", "8", "--epochs", "1"];

function request(...flags: string[]) {
  return trainRequest(readArguments("train", [...SIZES, ...flags]));
}

/** The first batch of a run with some flags, and the bytes that were sent for it. */
async function first(...flags: string[]) {
  const job = await openJob(request(...flags).options);
  const gpu = await Gpu.open();
  try {
    const images = await augmentedBatch(gpu, job);
    for await (const { pixels, labels } of job.batches.epoch(0)) {
      return { images, pixels: pixels.slice(), labels: labels.slice(), job };
    }
    throw new Error("There is no batch");
  } finally {
    gpu.destroy();
  }
}

Deno.test(
  "without augmentation the first batch is what is sent, byte for byte",
  { ignore },
  async () => {
    const { images, pixels, labels, job } = await first();
    assertEquals(images.length, 8);
    for (const [i, { picture, classes }] of images.entries()) {
      assertEquals(picture.pixels, pixels.slice(i * 3072, (i + 1) * 3072));
      assertEquals(classes, [{ name: job.split.train.classes[labels[i]], share: 1 }]);
    }
  },
);

Deno.test("flips are seen in the first batch", { ignore }, async () => {
  const { images, pixels } = await first("--hflip", "1");
  for (let row = 0; row < 32; row++) {
    for (let c = 0; c < 3; c++) {
      assertEquals(images[0].picture.pixels[row * 96 + c], pixels[row * 96 + 31 * 3 + c]);
    }
  }
});

/** Images of one colour each. */
function plain(count: number, channels: number, side: number): AugmentedImage[] {
  return Array.from({ length: count }, (_, i) => ({
    picture: {
      ...{ height: side, width: side, channels },
      pixels: new Uint8Array(side * side * channels).fill(40 + i),
    },
    classes: i % 2
      ? [{ name: "<cat> & dog", share: 1 }]
      : [{ name: "cat", share: 0.75 }, { name: "a long name of a class", share: 0.25 }],
  }));
}

Deno.test("a picture of a batch has 64 images at most, enlarged or reduced to be seen", {
  ignore,
}, async () => {
  const sharp = await loadSharp();
  for (
    const [count, channels, side, width, height] of [
      [100, 1, 8, 884, 1132],
      [3, 3, 300, 506, 234],
    ] as const
  ) {
    const png = await drawBatch(plain(count, channels, side), "title");
    assertEquals(pictureKind(png), "png");
    const { data, info } = await sharp(png, {}).toColourspace("srgb").raw()
      .toBuffer({ resolveWithObject: true });
    assertEquals([info.width, info.height], [width, height]);
    // The middle of the first image.
    const at = (60 * info.width + 40) * info.channels;
    assertAlmostEquals(data[at], 40, 1);
  }
});

Deno.test(
  "a run writes batch.png, and goes on where it cannot be drawn",
  { ignore },
  () =>
    withFolder(async (dir) => {
      const notes: string[] = [];
      const output = { print: (text: string) => notes.push(text), printError: () => {} };
      const images = plain(2, 3, 32);
      for (const [name, batch] of [["good", images], ["bad", images.slice(2)]] as const) {
        await inRunFolder(request("--output", `${dir}/${name}`), output, {
          kind: "adjoined",
          run: (options, reporter) => {
            const { adapter, what, stem } = { adapter: "a", what: "b", stem: "authors" };
            reporter.start({
              ...{ adapter, options, what, stem, trainImages: 1, validationImages: 1, test: false },
              ...{ height: 32, width: 32, channels: 3, classes: 2, costs: {} },
            });
            reporter.batch?.(batch);
            return Promise.resolve(undefined);
          },
        });
      }
      assertEquals(pictureKind(await Deno.readFile(`${dir}/good/batch.png`)), "png");
      const found = notes.filter((note) => note.startsWith("Cannot draw batch.png: "));
      assertEquals(found.length, 1, notes.join(""));
      assert(
        !(await Array.fromAsync(Deno.readDir(`${dir}/bad`))).some(({ name }) =>
          name === "batch.png"
        ),
      );
    }),
);
