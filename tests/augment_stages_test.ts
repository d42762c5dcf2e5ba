import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { TrainingBatches } from "../data/batches.ts";
import { beta } from "../data/beta.ts";
import { generateImages } from "../data/generated.ts";
import type { Draw } from "../data/draws.ts";
import { Random } from "../data/random.ts";
import { erasing } from "../train/augment/erasing.ts";
import { jittering } from "../train/augment/jittering.ts";
import { mixing } from "../train/augment/mixing.ts";
import { type Operation, OPERATIONS } from "../kernels/ops/rand_augment.ts";
import { parseRandPolicy } from "../train/augment/rand_policy.ts";
import { randStages } from "../train/augment/rand_stages.ts";

/** The numbers that a stage draws for so many images, one array each. */
function drawn({ numbers, fill }: Draw, images: number, seed = 1): number[][] {
  const all = new Float32Array(images * numbers);
  fill(all, {
    length: images,
    image: (row) => new Random(seed, `image ${row}`),
    batch: () => new Random(seed, "batch"),
  });
  return Array.from(
    { length: images },
    (_, row) => [...all.subarray(row * numbers).slice(0, numbers)],
  );
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, v) => sum + v, 0) / values.length;

function near(found: number, wanted: number, tolerance: number, what: string): void {
  assert(Math.abs(found - wanted) < tolerance, `${what}: ${found}, wanted ${wanted}`);
}

Deno.test("a beta distribution has its moments, for small and for large shapes", () => {
  for (const alpha of [0.05, 0.2, 1, 8]) {
    const random = new Random(1, `alpha ${alpha}`);
    const values = Array.from({ length: 20_000 }, () => beta(random, alpha));
    assert(values.every((v) => v >= 0 && v <= 1));
    const moment = (power: number): number => mean(values.map((v) => (v - 0.5) ** power));
    const variance = 1 / (4 * (2 * alpha + 1));
    near(moment(1), 0, 0.01, `mean for ${alpha}`);
    near(moment(2), variance, 0.03 * variance, `variance for ${alpha}`);
    // Its kurtosis is 3 - 6 / (2 alpha + 3).
    const fourth = variance ** 2 * (3 - 6 / (2 * alpha + 3));
    near(moment(4), fourth, 0.06 * fourth, `fourth moment for ${alpha}`);
  }
  const least = beta(new Random(3), 1e-4);
  assert(least >= 0 && least <= 1);
  assertThrows(
    () => beta(new Random(1), 0),
    RangeError,
    "wanted alpha to be a finite number above 0",
  );
});

Deno.test("colour jitter draws factors around 1 and all orders", () => {
  const all = drawn(jittering(0.4).draw, 4800);
  for (const which of [0, 1, 2]) {
    const factors = all.map((numbers) => numbers[which]);
    assert(factors.every((f) => f >= 0.6 - 1e-6 && f <= 1.4 + 1e-6));
    near(mean(factors), 1, 0.015, "mean factor");
    near(mean(factors.map((f) => (f - 1) ** 2)), 0.8 ** 2 / 12, 0.003, "variance of factors");
  }
  assert(all.every(([, , , hue]) => hue === 0));
  const orders = new Map<number, number>();
  for (const [, , , , order] of all) orders.set(order, (orders.get(order) ?? 0) + 1);
  const digits = (order: number) => order.toString(4).padStart(4, "0").split("").sort().join("");
  assertEquals(orders.size, 24);
  assert([...orders].every(([order, count]) => digits(order) === "0123" && count > 120));
  assert(all.some(([a, b, c]) => a !== b && b !== c));
});

Deno.test("colour jitter beyond 1 draws no factor below 0", () => {
  const factors = drawn(jittering(1.5).draw, 500).flatMap((numbers) => numbers.slice(0, 3));
  assert(Math.min(...factors) >= 0 && Math.max(...factors) > 2.3 && Math.max(...factors) < 2.5);
});

const normalization = { mean: [0.5, 0.4, 0.3], std: [0.2, 0.25, 0.3] };

Deno.test("erasing takes rectangles of 2 % to a third of the area, within the image", () => {
  const [height, width] = [60, 90];
  const options = { probability: 0.25, mode: "pixel", normalization, height, width } as const;
  const all = drawn(erasing(options).draw, 4000);
  const erased = all.filter(([, , h]) => h > 0);
  near(erased.length / all.length, 0.25, 0.03, "part that is erased");
  for (const [y, x, h, w, seed] of erased) {
    assert([y, x, h, w, seed].every((v) => Number.isInteger(v) && v >= 0) && seed < 2 ** 24);
    assert(h < height && w < width && y + h <= height && x + w <= width);
    // Sides are rounded to whole pixels.
    const part = h * w / (height * width);
    assert(part > 0.017 && part < 0.35, `${h} x ${w}`);
    assert((h + 0.5) / (w - 0.5) > 0.3 && (h - 0.5) / (w + 0.5) < 1 / 0.3, `${h} x ${w}`);
  }
  assert(erased.some(([y, , h]) => y + h === height) && erased.some(([, x]) => x === 0));
  near(mean(erased.map(([, , h, w]) => h * w / (height * width))), 0.165, 0.02, "mean area");
  assert(all.every((n) => n[2] > 0 || n.every((v) => v === 0)));
  assertEquals(drawn(erasing({ ...options, probability: 0 }).draw, 50).flat(), Array(250).fill(0));
});

const size = { height: 32, width: 48 };

Deno.test("mixup draws one share for a batch, and gives it to the loss", () => {
  const stage = mixing({ mixup: 0.4, cutmix: 0, ...size });
  const shares: number[] = [];
  for (let seed = 0; seed < 3000; seed++) {
    const rows = drawn(stage.draw, 3, seed);
    assertEquals(rows[0], rows[2]);
    const [share, ...box] = rows[0];
    assertEquals(box, [0, 0, 0, 0]);
    assertEquals([...stage.shares(Float32Array.from(rows.flat()))], [share, share, share]);
    shares.push(share);
  }
  near(mean(shares), 0.5, 0.03, "mean share");
  near(mean(shares.map((s) => (s - 0.5) ** 2)), 1 / (4 * 1.8), 0.01, "variance of shares");
});

Deno.test("the share of CutMix is what is left of the area", () => {
  const { draw } = mixing({ mixup: 0, cutmix: 1, ...size });
  let clipped = 0;
  const shares: number[] = [];
  for (let seed = 0; seed < 2000; seed++) {
    const [[share, y, x, h, w]] = drawn(draw, 1, seed);
    assert([y, x, h, w].every((v) => Number.isInteger(v) && v >= 0));
    assert(y + h <= size.height && x + w <= size.width);
    assertAlmostEquals(share, 1 - h * w / (size.height * size.width), 1e-6);
    assert(h > 0 || share === 1);
    if (h > 0 && (y === 0 || x === 0)) clipped++;
    shares.push(share);
  }
  assert(clipped > 200);
  // A side s has the density 2 s, and s - s² / 4 of it lies within the image in the mean: the area is
  // 2 ∫ s (s - s² / 4)² ds = 0.321, less for whole pixels.
  near(mean(shares), 0.69, 0.03, "mean share");
  assert(Math.min(...shares) < 0.25);
});

Deno.test("mixup and CutMix take turns by chance", () => {
  const { draw } = mixing({ mixup: 0.8, cutmix: 1, ...size });
  let cuts = 0;
  for (let seed = 0; seed < 2000; seed++) cuts += drawn(draw, 1, seed)[0][3] > 0 ? 1 : 0;
  near(cuts / 2000, 0.49, 0.04, "part of CutMix");
});

/** The magnitudes that a policy of one operation draws, by operation. */
function magnitudes(text: string, images = 30_000): Map<Operation, number[]> {
  const [{ draw }, ...others] = randStages(parseRandPolicy(text), [0, 0, 0]);
  assertEquals(others, []);
  const found = new Map<Operation, number[]>();
  for (const [operation, magnitude] of drawn(draw, images)) {
    const name = OPERATIONS[operation];
    const all = found.get(name) ?? [];
    all.push(magnitude);
    found.set(name, all);
  }
  return found;
}

/** Checks that each operation has these magnitudes and no others, in any order. */
function demandMagnitudes(text: string, wanted: Partial<Record<Operation, number[]>>): void {
  const found = magnitudes(text);
  assertEquals([...found.keys()].sort(), [...OPERATIONS].sort());
  for (const [name, values] of found) {
    const different = [...new Set(values)].sort((a, b) => a - b);
    const of = wanted[name] ?? [0];
    assertEquals(different, of.map(Math.fround).sort((a, b) => a - b), `${text}, ${name}`);
  }
}

const signed = (value: number): number[] => [-value, value];
const moved = (part: number) => ({
  Rotate: signed(part * 30),
  ShearX: signed(part * 0.3),
  ShearY: signed(part * 0.3),
  TranslateXRel: signed(part * 0.45),
  TranslateYRel: signed(part * 0.45),
});

Deno.test("magnitudes of RandAugment are timm's", () => {
  const enhanced = 0.9 * 1.8 + 0.1;
  demandMagnitudes("rand-m9-n1", {
    ...moved(0.9),
    Posterize: [3],
    Solarize: [230],
    SolarizeAdd: [99],
    Color: [enhanced],
    Contrast: [enhanced],
    Brightness: [enhanced],
    Sharpness: [enhanced],
  });
});

Deno.test("with -inc1 the operations of RandAugment grow with the magnitude, as timm's", () => {
  const enhanced = [1 - 0.5 * 0.9, 1 + 0.5 * 0.9];
  demandMagnitudes("rand-m5-n1-inc1", {
    ...moved(0.5),
    Posterize: [2],
    Solarize: [128],
    SolarizeAdd: [55],
    Color: enhanced,
    Contrast: enhanced,
    Brightness: enhanced,
    Sharpness: enhanced,
  });
  const most = magnitudes("rand-m10-n1-inc1", 3000);
  assertEquals([...new Set(most.get("Posterize"))], [0]);
  assertEquals([...new Set(most.get("Solarize"))], [0]);
  assertAlmostEquals(Math.min(...most.get("Color") ?? []), 0.1, 1e-6);
});

Deno.test("each operation of RandAugment is as likely, and done half the time", () => {
  const images = 30_000;
  for (const [name, { length }] of magnitudes("rand-m9-n1", images)) {
    const wanted = name === "Identity" ? images / 2 : images / 30;
    near(length, wanted, 5 * Math.sqrt(wanted), name);
  }
});

Deno.test("magnitudes with a deviation spread, and stay within their bounds", () => {
  const parts = (magnitudes("rand-m9-n1-mstd0.5").get("Rotate") ?? []).map((d) => Math.abs(d) / 30);
  // The largest are cut off at 1, two deviations away.
  near(mean(parts), 0.9, 0.01, "mean");
  near(Math.sqrt(mean(parts.map((p) => (p - 0.9) ** 2))), 0.05, 0.006, "deviation");
  const wide = (magnitudes("rand-m9-n1-mstd20").get("ShearX") ?? []).map(Math.abs);
  assert(Math.min(...wide) === 0 && Math.max(...wide) === Math.fround(0.3));
});

Deno.test("the operations of RandAugment on an image are drawn apart", () => {
  const stages = randStages(parseRandPolicy("rand-m9-n3"), [0, 0, 0]);
  assertEquals(stages.map(({ draw }) => draw.numbers), [2, 2, 2]);
  assertEquals(new Set(stages.map(({ draw }) => draw.name)).size, 3);
});

Deno.test("other policies than RandAugment's are refused in the form that is wanted", () => {
  assertEquals(parseRandPolicy("rand-m7-n3-mstd0.5-inc1"), {
    magnitude: 7,
    layers: 3,
    deviation: 0.5,
    increasing: true,
  });
  assertEquals(parseRandPolicy("rand-m10-n1-inc0").increasing, false);
  for (
    const text of ["rand", "rand-m9", "rand-m11-n2", "rand-m9-n2-inc1-mstd0.5", "augmix-m3\u001b"]
  ) {
    const message = "wanted rand-mM-nN with a magnitude M from 0 to 10";
    assertThrows(() => parseRandPolicy(text), RangeError, message);
  }
});

Deno.test("an image of an epoch is augmented alike in whatever batch it is", () => {
  const dataset = generateImages({ count: 24, size: 12, seed: 1 });
  const draws = [
    jittering(0.4).draw,
    erasing({ probability: 0.5, mode: "const", normalization, height: 12, width: 12 }).draw,
    ...randStages(parseRandPolicy("rand-m9-n9-mstd1"), [0, 0, 0]).map(({ draw }) => draw),
  ];
  const byImage = (batch: number, seed: number, epoch: number) => {
    const found = new Map<string, string>();
    const batches = new TrainingBatches({ dataset, batch, seed, draws });
    for (const { pixels, draws: numbers = [] } of batches.epoch(epoch)) {
      const bytes = pixels.length / batch;
      for (let row = 0; row < batch; row++) {
        const image = pixels.slice(row * bytes, (row + 1) * bytes).join();
        found.set(
          image,
          numbers.map((all) =>
            all.slice(row * all.length / batch, (row + 1) * all.length / batch).join()
          ).join(" "),
        );
      }
    }
    return found;
  };
  const found = byImage(4, 7, 1);
  assertEquals(found.size, 24);
  assertEquals(new Map([...byImage(8, 7, 1)].sort()), new Map([...found].sort()));
  for (const other of [byImage(4, 8, 1), byImage(4, 7, 2)]) {
    assert([...found].every(([image, numbers]) => other.get(image) !== numbers));
  }
});

Deno.test("augmentations refuse numbers outside their range", () => {
  const erased = { mode: "const", normalization, ...size } as const;
  const cases: [() => unknown, string][] = [
    [() => jittering(-0.1), "wanted the strength to be a finite number from 0 on, found -0.1"],
    [() => erasing({ probability: 1.5, ...erased }), "wanted the probability to be"],
    [
      () => mixing({ mixup: -1, cutmix: 0, ...size }),
      "wanted mixup to be a finite number from 0 on",
    ],
    [() => mixing({ mixup: 0, cutmix: 0, ...size }), "found 0 for both"],
  ];
  for (const [run, message] of cases) assertThrows(run, RangeError, message);
});
