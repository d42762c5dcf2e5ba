import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { type Preparation, prepare } from "../data/preparation.ts";
import { firstBatch } from "../data/picture_batches.ts";
import { type Checkpoint, encodeCheckpoint, parseCheckpoint } from "../export/checkpoint.ts";
import { Gpu } from "../kernels/gpu.ts";
import { network } from "../nn/network.ts";
import { Classifier } from "../train/classifier.ts";
import { KernelSession } from "../train/kernel_session.ts";
import { meanDifference, noise } from "./made_pictures.ts";
import { checkpointOf, images, NETWORKS, randomState } from "./saved_networks.ts";

const gpu = await Gpu.open();
Deno.test.afterAll(() => gpu.destroy());

/** A small network of 4 classes for images of a size, as read from its file. */
function saved(
  image: readonly [number, number, number],
  more: Partial<Checkpoint> = {},
): Checkpoint {
  const channels = image[2];
  const net = network({ channels }, (b) => {
    const x = b.conv2d(b.image, { name: "conv1", out: 6, kernel: 3, padding: 1 });
    b.linear(b.globalAvgPool2d(b.relu(x)), { name: "fc", out: 4 });
  });
  const mean = new Array<number>(channels).fill(0.5);
  const { state: _, network: __, ...info } = checkpointOf(NETWORKS["of pools with gaps"]);
  const normalization = { mean, std: mean.map(() => 0.25) };
  const bytes = encodeCheckpoint(net, randomState(net), { ...info, image, normalization, ...more });
  return parseCheckpoint(bytes, "it");
}

Deno.test("pictures of a network's size are classified as evaluation sees them", async () => {
  const checkpoint = checkpointOf(NETWORKS["of every layer"]);
  const dataset = images(5);
  const { classes, length, height, width } = dataset;
  using scope = gpu.scope();
  const session = await KernelSession.open(scope, { checkpoint, dataset, batch: 5 });
  const logits = await session.logits(await firstBatch({ dataset, batch: 5 }));
  using classifier = await Classifier.open(gpu, checkpoint, { batch: 3 });
  const pictures = Array.from({ length }, (_, i) => {
    const bytes = height * width * 3;
    return { height, width, channels: 3, pixels: dataset.pixels.slice(i * bytes, (i + 1) * bytes) };
  });
  const found = await classifier.classify(pictures, { top: 9 });
  assertEquals(found.length, length);
  found.forEach((all, i) => {
    const own = logits.subarray(4 * i, 4 * i + 4);
    const sum = own.reduce((sum, x) => sum + Math.exp(x), 0);
    assertEquals(all.map(({ class: name }) => name).sort(), [...classes].sort());
    all.forEach(({ class: name, probability }, k) => {
      assertAlmostEquals(probability, Math.exp(own[classes.indexOf(name)]) / sum, 1e-5);
      assert(k === 0 || probability <= all[k - 1].probability);
    });
  });
  assertEquals(await classifier.classify(pictures[4], { top: 2 }), found[4].slice(0, 2));
});

Deno.test("pictures are cut and filtered as the file says", async () => {
  const picture = noise(50, 70, 3);
  const all = { top: 4 };
  using plain = await Classifier.open(gpu, saved([16, 16, 3]));
  for (const interpolation of ["bilinear", "bicubic"] as const) {
    const cropPct = 0.5;
    using other = await Classifier.open(gpu, saved([16, 16, 3], { cropPct, interpolation }));
    const preparation = { kind: "central", channels: 3, size: 16, cropPct, interpolation } as const;
    const found = await other.classify(picture, all);
    // A picture of the very size is shown as it is.
    assertEquals(found, await plain.classify(prepare(picture, preparation), all));
    assert(found[0].probability !== (await plain.classify(picture, all))[0].probability);
  }
});

Deno.test("grey networks see colours as grey, and transparency is white", async () => {
  using grey = await Classifier.open(gpu, saved([16, 16, 1]));
  using colour = await Classifier.open(gpu, saved([16, 16, 3]));
  const size = { height: 20, width: 20 };
  const [red, light] = [[254, 0, 0], [76]].map((pixel) => ({
    ...size,
    channels: pixel.length,
    pixels: Uint8Array.from({ length: 400 * pixel.length }, (_, i) => pixel[i % pixel.length]),
  }));
  assertEquals(await grey.classify(red), await grey.classify(light));
  const thin = { ...size, channels: 4, pixels: new Uint8ClampedArray(1600) };
  const white = { ...size, channels: 1, pixels: new Uint8Array(400).fill(255) };
  assertEquals(await colour.classify(thin), await colour.classify(white));
});

Deno.test("pictures keep their proportions where images are no squares", async () => {
  const central = { kind: "central", channels: 1, cropPct: 1, interpolation: "bilinear" } as const;
  const wide: Preparation = { ...central, size: 8, width: 24 };
  const ramp = (height: number, width: number) => ({
    ...{ height, width, channels: 1 },
    pixels: Uint8Array.from({ length: height * width }, (_, i) => 2 * Math.floor(i / width)),
  });
  // 48 of 96 rows are left: 24 above and 24 below are cut off.
  const { height, width, pixels } = prepare(ramp(96, 144), wide);
  assertEquals([height, width], [8, 24]);
  assertAlmostEquals(pixels[0], 2 * (24 + 2.5), 1);
  assertAlmostEquals(pixels.at(-1) ?? 0, 2 * (71 - 2.5), 1);
  assertEquals(prepare(ramp(8, 24), wide).pixels, ramp(8, 24).pixels);
  assertEquals(
    meanDifference(
      prepare(ramp(8, 8), { ...central, size: 8, width: 8 }).pixels,
      prepare(ramp(8, 8), { ...central, size: 8 }).pixels,
    ),
    0,
  );
  using classifier = await Classifier.open(gpu, saved([8, 24, 1]));
  assertEquals(
    await classifier.classify(ramp(96, 144)),
    await classifier.classify({
      ...{ height, width, channels: 1 },
      pixels,
    }),
  );
});

Deno.test("what cannot be classified is refused in one sentence", async () => {
  using classifier = await Classifier.open(gpu, saved([16, 16, 3]));
  const picture = noise(4, 4, 3);
  await assertRejects(
    () => classifier.classify({ ...picture, width: 5 }),
    TypeError,
    "wanted height x width x channels bytes, 1 to 4 a pixel, found 48 for 4x5x3",
  );
  await assertRejects(() => classifier.classify(picture, { top: 0 }), RangeError, "top");
  await assertRejects(
    () => Classifier.open(gpu, saved([16, 16, 2])),
    TypeError,
    "wanted one of images with 1 or 3 channels, found one for 2",
  );
  await assertRejects(() => Classifier.open(gpu, saved([16, 16, 3]), { batch: 0 }), RangeError);
  assertEquals(await classifier.classify([]), []);
});
