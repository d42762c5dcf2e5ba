// Ops that augment pictures: what they refuse, and the noise that fills boxes.
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Gpu } from "../kernels/gpu.ts";
import type { Op } from "../kernels/op.ts";
import { elements } from "../kernels/gpu/tensor.ts";
import { colorJitter } from "../kernels/ops/color_jitter.ts";
import { erase } from "../kernels/ops/erase.ts";
import { mixPictures } from "../kernels/ops/mix_pictures.ts";
import { normalizePixels } from "../kernels/ops/normalize_pixels.ts";
import { randAugment } from "../kernels/ops/rand_augment.ts";
import { samplePictures } from "../kernels/ops/sample_pictures.ts";
import { compute, draw } from "./op_suite.ts";

/** What an op refuses by a sentence, in its kernels and in its reference. */
interface Refused {
  readonly name: string;
  readonly holds: () => Promise<void>;
}

function refused<A>(
  op: Op<A>,
  shapes: readonly (readonly number[])[],
  attributes: A,
  [kind, sentence]: [typeof Error, string],
  types: readonly ("u32" | "f32")[] = [],
): Refused {
  const holds = async (): Promise<void> => {
    const values = shapes.map((shape) => ({ shape, data: new Float64Array(elements(shape)) }));
    assertThrows(() => op.reference(values, attributes), kind, sentence);
    const gpu = await Gpu.open();
    try {
      using scope = gpu.scope();
      const inputs = shapes.map((shape, i) =>
        scope.tensor(`input ${i}`, shape, new Float32Array(elements(shape)), types[i])
      );
      await assertRejects(
        () => scope.trace(op.name, (trace) => void op.forward(trace, inputs, attributes)),
        kind,
        sentence,
      );
    } finally {
      gpu.destroy();
    }
  };
  return { name: sentence, holds };
}

const SAMPLED = {
  ...{ batch: 2, slotWords: 3, channels: 3, outHeight: 2, outWidth: 2 },
  interpolation: "bilinear",
  ...{ mean: [0, 0, 0], std: [1, 1, 1] },
} as const;
const SLOTS = [[6], [2, 2], [2, 4]];
const U32 = ["u32", "u32", "f32"] as const;

const REFUSED: readonly Refused[] = [
  refused(colorJitter, [[2, 3, 3, 2], [2, 5]], {}, [
    TypeError,
    "Cannot apply color jitter: wanted images [batch, height, width, 1 or 3 channels], found [2,3,3,2]",
  ]),
  refused(colorJitter, [[2, 3, 3, 3], [2, 4]], {}, [
    TypeError,
    "Cannot apply color jitter: wanted numbers [2, 5] of (brightness, contrast, saturation, hue, " +
    "order), found [2,4]",
  ]),
  refused(randAugment, [[2, 9, 3], [2, 2]], { fill: [0, 0, 0] }, [
    TypeError,
    "Cannot apply rand augment: wanted images [batch, height, width, 1 or 3 channels], found [2,9,3]",
  ]),
  refused(randAugment, [[2, 3, 3, 3], [1, 2]], { fill: [0, 0, 0] }, [
    TypeError,
    "Cannot apply rand augment: wanted numbers [2, 2] of (operation, magnitude), found [1,2]",
  ]),
  refused(randAugment, [[2, 3, 3, 1], [2, 2]], { fill: [0, 0, 0] }, [
    TypeError,
    "Cannot apply rand augment as the images have 1 channels: found 3 fills",
  ]),
  refused(erase, [[2, 3, 3, 5], [2, 5]], { fill: [0], spread: [0] }, [
    TypeError,
    "Cannot apply erase: wanted images [batch, height, width, 1 to 4 channels], found [2,3,3,5]",
  ]),
  refused(erase, [[2, 3, 3, 1], [2, 4]], { fill: [0], spread: [0] }, [
    TypeError,
    "Cannot apply erase: wanted numbers [2, 5] of (y, x, height, width, seed), found [2,4]",
  ]),
  refused(erase, [[2, 3, 3, 3], [2, 5]], { fill: [0, 0, 0], spread: [0] }, [
    TypeError,
    "Cannot apply erase as the images have 3 channels: found 3 fills and 1 spreads",
  ]),
  refused(erase, [[2, 3, 3, 1], [2, 5]], { fill: [0], spread: [-1] }, [
    RangeError,
    "Cannot apply erase: wanted spreads from 0 on, found [-1]",
  ]),
  refused(mixPictures, [[2, 27], [2, 5]], {}, [
    TypeError,
    "Cannot apply mix pictures: wanted images [batch, height, width, 1 to 4 channels], found [2,27]",
  ]),
  refused(mixPictures, [[2, 3, 3, 3], [2, 1]], {}, [
    TypeError,
    "Cannot apply mix pictures: wanted numbers [2, 5] of (share, y, x, height, width), found [2,1]",
  ]),
  refused(normalizePixels, [[2, 3, 3, 3]], { mean: [0], std: [1] }, [
    TypeError,
    "Cannot apply normalize pixels as the images have 3 channels: found 1 means and 1 standard " +
    "deviations",
  ]),
  refused(normalizePixels, [[2, 3, 3, 1]], { mean: [0], std: [0] }, [
    RangeError,
    "Cannot apply normalize pixels: wanted standard deviations above 0, found [0]",
  ]),
  refused(
    samplePictures,
    [[7], [2, 2], [2, 4]],
    SAMPLED,
    [TypeError, "Cannot apply sample pictures: wanted pixels [6] of type u32, found [7]"],
    U32,
  ),
  refused(samplePictures, [[6], [2, 2], [2, 3]], SAMPLED, [
    TypeError,
    "Cannot apply sample pictures: wanted crops [2,4] of type f32, found [2,3]",
  ], U32),
  refused(samplePictures, SLOTS, { ...SAMPLED, channels: 5 }, [
    RangeError,
    "Cannot apply sample pictures: wanted 1 to 4 channels, found 5",
  ], U32),
  refused(samplePictures, SLOTS, { ...SAMPLED, outWidth: 0 }, [
    RangeError,
    "found 2 pictures in slots of 3 words, to 2x0",
  ], U32),
  refused(samplePictures, SLOTS, { ...SAMPLED, std: [1, 0, 1] }, [
    RangeError,
    "Cannot apply sample pictures: wanted standard deviations above 0, found [1,0,1]",
  ], U32),
];

for (const { name, holds } of REFUSED) Deno.test(`refused: ${name}`, holds);

Deno.test("noise in boxes is normal, of its own for each channel, pixel and seed", async () => {
  const side = 64;
  const fill = [100, 110, 120];
  const spread = [20, 30, 40];
  const boxes = [7, 8, 7].flatMap((seed) => [0, 0, side, side, seed]);
  const test = {
    inputs: [{ shape: [3, side, side, 3] }, {
      shape: [3, 5],
      sample: (_: () => number, i: number) => boxes[i],
    }],
    attributes: { fill, spread },
  };
  const gpu = await Gpu.open();
  const { outputs: [y] } = await compute(gpu, erase, test, draw(test, 1), [])
    .finally(() => gpu.destroy());
  const size = side * side;
  const channels = Array.from({ length: 6 }, (_, k) =>
    Array.from(
      { length: size },
      (_, p) => (y[(Math.floor(k / 3) * size + p) * 3 + k % 3] - fill[k % 3]) / spread[k % 3],
    ));
  const mean = (a: number[], b: number[]): number =>
    a.reduce((sum, v, i) => sum + v * b[i], 0) / size;
  const ones = new Array<number>(size).fill(1);
  // Five standard errors of 4096 numbers.
  const bound = 5 / side;
  for (const [k, a] of channels.entries()) {
    assert(Math.abs(mean(a, ones)) < bound, `mean ${mean(a, ones)}`);
    assert(Math.abs(mean(a, a) - 1) < bound * Math.SQRT2, `variance ${mean(a, a)}`);
    const outside = a.filter((v) => Math.abs(v) > 2).length / size;
    assert(Math.abs(outside - 0.0455) < 0.0165, `${outside} beyond two deviations`);
    const next = [...a.slice(1), a[0]];
    assert(Math.abs(mean(a, next)) < bound, `neighbours ${mean(a, next)}`);
    for (const b of channels.slice(k + 1)) assert(Math.abs(mean(a, b)) < bound);
  }
  // The same seed is the same noise, in any row of the batch.
  assertEquals(Array.from(y).slice(0, size * 3), Array.from(y).slice(2 * size * 3));
});
