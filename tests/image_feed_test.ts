// Batches on the GPU: sampled, augmented, mixed and normalised, as the ops' references say.
import { assert, assertEquals, assertThrows } from "@std/assert";
import type { Batch } from "../data/batch.ts";
import type { Draw } from "../data/draws.ts";
import { trainingBatches } from "../data/picture_batches.ts";
import type { PictureSet } from "../data/pictures.ts";
import { randomResizedCrop } from "../data/augment.ts";
import { Gpu } from "../kernels/gpu.ts";
import type { Tensor } from "../kernels/gpu/tensor.ts";
import type { Op, Values } from "../kernels/op.ts";
import { colorJitter } from "../kernels/ops/color_jitter.ts";
import { mixPictures } from "../kernels/ops/mix_pictures.ts";
import { normalizePixels } from "../kernels/ops/normalize_pixels.ts";
import { samplePictures } from "../kernels/ops/sample_pictures.ts";
import type { Mixing, Stage } from "../train/augment/stage.ts";
import { drawsOf, type Feed, Images } from "../train/image_feed.ts";

const SIDE = 6;

/** Pictures of 7x9 to 9x7 pixels; a larger delay for earlier ones where `late`. */
function pictures(late: boolean): PictureSet {
  return {
    name: "pictures",
    classes: [..."abcdefgh"],
    length: 8,
    height: SIDE,
    width: SIDE,
    channels: 3,
    labels: Uint8Array.from({ length: 8 }, (_, i) => i),
    files: [],
    source: {
      area: 64,
      varied: true,
      read: async (place) => {
        await new Promise((resolve) => setTimeout(resolve, late ? 8 - place : 0));
        const [height, width] = [7 + place % 3, 9 - place % 3];
        const pixels = Uint8Array.from(
          { length: height * width * 3 },
          (_, i) => (place * 31 + i * i * 7) % 256,
        );
        return { height, width, channels: 3, pixels };
      },
    },
  };
}

function stage(op: Op, draw: Draw): Stage {
  return { draw, record: (apply, images, numbers) => apply(op, [images, numbers], {})[0] };
}

const jitter = stage(colorJitter, {
  name: "jitter",
  numbers: 5,
  fill(numbers, { length, image }) {
    for (let row = 0; row < length; row++) {
      const random = image(row);
      const factor = () => 0.5 + random.uniform();
      numbers.set([factor(), factor(), factor(), 0, 27], row * 5);
    }
  },
});

const mixing: Mixing = {
  ...stage(mixPictures, {
    name: "mixing",
    numbers: 5,
    fill(numbers, { length, batch }) {
      const share = 0.5 + batch().uniform() / 2;
      for (let row = 0; row < length; row++) numbers.set([share, 0, 0, 0, 0], row * 5);
    },
  }),
  shares: (numbers) => Float32Array.from({ length: numbers.length / 5 }, (_, i) => numbers[i * 5]),
};

function feedOf(dataset: PictureSet, extra: Partial<Feed> = {}): Feed {
  const normalization = { mean: [0.4, 0.5, 0.6], std: [0.2, 0.3, 0.25] };
  return { dataset, normalization, batch: 4, image: { height: SIDE, width: SIDE }, ...extra };
}

/** The first batch that is trained on. */
async function batchOf(feed: Feed): Promise<Batch> {
  const batches = trainingBatches({
    ...{ dataset: feed.dataset, batch: feed.batch, seed: 9, draws: drawsOf(feed) },
    augment: (random, { height, width }) =>
      randomResizedCrop({ random, sourceHeight: height, sourceWidth: width, outputSize: SIDE }),
  });
  for await (const batch of batches.epoch(0)) return batch;
  throw new Error("there is no batch");
}

/** What networks see of a batch, and what the loss is told of mixed labels. */
async function shown(feed: Feed, batch: Batch) {
  const gpu = await Gpu.open();
  try {
    using scope = gpu.scope();
    const images = new Images(scope, feed);
    let seen: Tensor | undefined;
    const program = await scope.trace("images", (trace) => {
      seen = trace.keep(images.record(trace, feed.normalization));
    });
    images.send(batch);
    program.replay();
    if (!seen) throw new Error("nothing was traced");
    const [pixels] = await gpu.read([seen]);
    const { mixed } = images;
    if (!mixed) return { pixels };
    const [others, shares] = await gpu.read([mixed.others, mixed.shares]);
    return { pixels, others: [...others], shares: [...shares] };
  } finally {
    gpu.destroy();
  }
}

const values = (shape: number[], data: ArrayLike<number>): Values => ({
  shape,
  data: Float64Array.from(data),
});

/** What the references of the ops make of a batch. */
function expected(feed: Feed, { pixels, sizes, crops, draws = [] }: Batch): Float64Array {
  const { batch, normalization, stages = [], mixing } = feed;
  const words = new Uint32Array(pixels.slice().buffer);
  const slotWords = words.length / batch;
  const all = [...stages, ...mixing ? [mixing] : []];
  const scale = all.length
    ? { mean: [0, 0, 0], std: [1, 1, 1].map((x) => x / 255) }
    : normalization;
  let [images] = samplePictures.reference([
    values([words.length], words),
    values([batch, 2], sizes ?? []),
    values([batch, 4], crops),
  ], {
    ...{ batch, slotWords, channels: 3, outHeight: SIDE, outWidth: SIDE },
    ...{ interpolation: "bilinear", ...scale },
  });
  const ops = [...stages.map(() => colorJitter), ...mixing ? [mixPictures] : []];
  ops.forEach((op, i) => [images] = op.reference([images, values([batch, 5], draws[i])], {}));
  if (all.length) [images] = normalizePixels.reference([images], normalization);
  return images.data;
}

for (
  const [what, extra] of [
    ["crops of pictures", {}],
    ["augmented crops", { stages: [jitter] }],
    ["augmented and mixed crops", { stages: [jitter, jitter], mixing }],
  ] as const
) {
  Deno.test(`networks see ${what} as the references of the ops say`, async () => {
    const feed = feedOf(pictures(false), extra);
    const batch = await batchOf(feed);
    const found = await shown(feed, batch);
    const wanted = expected(feed, batch);
    assertEquals(found.pixels.length, wanted.length);
    const off = wanted.reduce((most, v, i) => Math.max(most, Math.abs(v - found.pixels[i])), 0);
    assert(off < 1e-4, `${off} off`);
  });
}

Deno.test("the same seed gives the same pixels, whichever picture is decoded first", async () => {
  const seen = await Promise.all([false, true].map(async (late) => {
    const feed = feedOf(pictures(late), { stages: [jitter], mixing });
    return (await shown(feed, await batchOf(feed))).pixels;
  }));
  assertEquals(seen[0], seen[1]);
});

Deno.test("mixed images come with the labels of their partners and their own share", async () => {
  const feed = feedOf(pictures(false), { mixing });
  const batch = await batchOf(feed);
  const { others, shares } = await shown(feed, batch);
  assertEquals(others, [...batch.labels].reverse());
  assertEquals(shares, [0, 1, 2, 3].map((row) => batch.draws?.[0][row * 5]));
});

Deno.test("a batch without what a feed draws, or without sizes, is refused", async () => {
  const feed = feedOf(pictures(false), { stages: [jitter] });
  const batch = await batchOf(feed);
  const gpu = await Gpu.open();
  try {
    using scope = gpu.scope();
    const images = new Images(scope, feed);
    assertThrows(
      () => images.send({ ...batch, draws: [] }),
      TypeError,
      "wanted 20 numbers of jitter in a Float32Array, found none",
    );
    assertThrows(
      () => images.send({ ...batch, sizes: undefined }),
      TypeError,
      "wanted 8 heights and widths in a Uint32Array, found none",
    );
    assertThrows(
      () => images.send({ ...batch, sizes: Uint32Array.from([70, 70, 7, 9, 7, 9, 7, 9]) }),
      RangeError,
      "wanted images of at most 192 bytes, found 70x70 pixels at image 0",
    );
  } finally {
    gpu.destroy();
  }
});
