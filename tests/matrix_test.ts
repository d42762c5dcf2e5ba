// Kernels of matrix units, with ordinary loops in the place of the units, against float64.
import { assert, assertEquals, assertThrows } from "@std/assert";
import { Gpu } from "../kernels/gpu.ts";
import { MATRIX_TILES, type MatrixTile } from "../kernels/matrix/tile.ts";
import { conv2d, type Conv2dAttributes, maskedConv2d } from "../kernels/ops/conv2d.ts";
import { linear } from "../kernels/ops/linear.ts";
import { GPU, type Preset } from "../kernels/preset.ts";
import { holds as holdsNumbers, selfTest } from "../cli/doctor/self_test.ts";
import { settleMatrices } from "../kernels/conv/matrix_check.ts";
import { matricesOf } from "../kernels/conv/matrix_tiles.ts";
import { nullDevice } from "../kernels/gpu/null_device.ts";
import { typicalAdapter } from "../kernels/gpu/typical_adapter.ts";
import { emulatedOperations } from "../kernels/matrix/emulated.ts";
import type { MatrixOperations } from "../kernels/matrix/operations.ts";
import { adapterWords } from "../train/precision.ts";
import { matrixBlock } from "../kernels/matrix/block.ts";
import { matrixWeightGradient } from "../kernels/conv/matrix_weight_gradient.ts";
import { geometry } from "../kernels/wgsl/geometry.ts";
import type { Case } from "../kernels/op.ts";
import { describeInput, holds } from "./op_suite.ts";

/** The GPU preset with these tiles, and loops in the place of matrix units. */
function emulated(
  tiles: readonly MatrixTile[],
  emulated: "vectors" | "scalars" = "vectors",
): Preset {
  return { ...GPU, convolution: { ...GPU.convolution, matrices: { tiles, emulated } } };
}

async function withGpu(
  options: { preset: Preset; maxWorkgroups?: number },
  body: (gpu: Gpu) => Promise<void> | void,
): Promise<void> {
  const gpu = await Gpu.open(options);
  try {
    await body(gpu);
  } finally {
    gpu.destroy();
  }
}

/** Images in half floats, all cases. */
const HALVES = { leaving: "narrowed", every: true } as const;

/** The tile that is compiled the fastest. */
const SMALL = MATRIX_TILES.filter(({ rows, columns }) => rows === 32 && columns === 32);

/** Two splits of positions, and so many that their sums are joined eight at a time. */
const SPLIT: readonly Case<Conv2dAttributes>[] = [
  { inputs: [[2, 18, 17, 5], [3, 3, 5, 7]], attributes: { stride: 1, padding: 1 } },
  { inputs: [[1, 66, 64, 3], [1, 1, 3, 5]], attributes: { stride: 1, padding: 0 } },
];

function splitsOf(gpu: Gpu, { inputs: [x, w], attributes }: Case<Conv2dAttributes>): number {
  const [image, filter] = [describeInput(x), describeInput(w)];
  const work = {
    direction: "weight gradient",
    geometry: geometry("conv2d", image, filter, attributes),
    precision: "mixed",
  } as const;
  const [{ name }] = matrixWeightGradient.plans(gpu, work, 1);
  return Number(name.split("/")[1]);
}

// An operand is rounded to half floats by up to 2^-11 of itself, and so is a stored result. A number
// goes through four roundings at most, dy, x, w and the result, so that it is 2e-3 off if all go
// the same way, and 6e-4 in the mean; the suite allows 3e-3. Sums in float32 add 1e-6.
Deno.test("matrix units equal the float64 reference in all cases", () =>
  withGpu({ preset: emulated(SMALL) }, async (gpu) => {
    assertEquals(SPLIT.map((test) => splitsOf(gpu, test)), [2, 16]);
    // Convolutions in groups are done without.
    const dense = conv2d.cases.filter(({ attributes }) => !attributes.groups);
    await holds(gpu, conv2d, [...dense, ...SPLIT], HALVES);
    await holds(gpu, maskedConv2d, maskedConv2d.cases, HALVES);
    await holds(gpu, linear, linear.cases, HALVES);
  }));

/**
 * A case whose results are larger than a tile in each direction, and no multiple of it. Where it is
 * `aligned`, inputs are a multiple of the depth, so that slices of the forward pass lie within a tap;
 * else outputs are, with which slices of the input gradient do.
 */
function largerThan(
  { rows, columns, depth }: MatrixTile,
  aligned: boolean,
): Case<Conv2dAttributes> {
  const [whole, odd] = [columns + depth - columns % depth, columns + 5];
  const [inputs, outputs] = aligned ? [whole, odd] : [odd, whole];
  return {
    // To compile takes the time, most for the largest: every second tile has an input gradient.
    inputs: [
      { shape: [1, rows / 8 + 1, 9, inputs], differentiable: !aligned },
      [1, 2, inputs, outputs],
    ],
    attributes: { stride: 1, padding: [0, 1] },
  };
}

for (const [i, tile] of MATRIX_TILES.filter((tile) => !SMALL.includes(tile)).entries()) {
  const grid = i % 3 === 0 ? { maxWorkgroups: 7 } : {};
  Deno.test(`${tile.name} gives what the float64 reference does`, () =>
    withGpu({ preset: emulated([tile]), ...grid }, async (gpu) => {
      // The largest does not fit into the workgroup memory of Mesa's software adapter.
      if (matricesOf(gpu).tiles.length === 0) return;
      await holds(gpu, conv2d, [largerThan(tile, i % 2 === 0)], HALVES);
    }));
}

Deno.test("a small grid gives the same", () =>
  withGpu({ preset: emulated(SMALL), maxWorkgroups: 7 }, async (gpu) => {
    await holds(gpu, conv2d, [conv2d.cases[11], SPLIT[0]], HALVES);
  }));

Deno.test("a tile that matrices do not divide evenly is refused", () => {
  const [tile] = SMALL;
  const orders = { left: "rows", right: "rows" } as const;
  const operations = emulatedOperations({ vectors: true });
  for (const uneven of [{ high: 24 }, { wide: 8 }, { depth: 24 }, { rows: 40 }, { columns: 24 }]) {
    assertThrows(
      () => matrixBlock(operations, { ...tile, ...uneven }, orders),
      RangeError,
      "wanted matrices of 16x16x16 and subgroups of 32 lanes that divide it evenly",
    );
  }
});

Deno.test("matrices in arrays of scalars equal the float64 reference, too", () =>
  withGpu({ preset: emulated(SMALL, "scalars") }, async (gpu) => {
    await holds(gpu, conv2d, [conv2d.cases[7], conv2d.cases[12]], HALVES);
  }));

Deno.test("units that give other numbers, or do not compile, are done without", () =>
  withGpu({ preset: emulated(SMALL) }, async (gpu) => {
    const right = emulatedOperations({ vectors: true });
    const transposed: MatrixOperations = {
      ...right,
      left: (name, place) =>
        right.left(name, { ...place, order: place.order === "rows" ? "columns" : "rows" }),
    };
    const unknown: MatrixOperations = { ...right, zeros: () => "no_such_word;" };
    await settleMatrices(gpu, [unknown, transposed, right]);
    assertEquals(matricesOf(gpu).operations, right);
    await settleMatrices(gpu, [transposed]);
    assertEquals(matricesOf(gpu), { operations: null, tiles: [] });
  }));

Deno.test("the self-test runs them, and allows them the rounding of half floats", async () => {
  // What it runs, without running it: the numbers are those of the cases above.
  const device = nullDevice(typicalAdapter("gpu"));
  const gpu = await Gpu.open({ device, preset: emulated(SMALL) });
  const names = (await selfTest(gpu)).map(({ name }) => name);
  for (
    const name of [
      "matrix product, forward",
      "matrix product, input gradient",
      "matrix weight gradient, weight gradient",
    ]
  ) {
    assert(names.includes(name), names.join());
    assertEquals([1e-3, 1e-2].map((error) => holdsNumbers({ name, error })), [true, false]);
  }
});

Deno.test("the adapter's line tells of matrix units where steps use them", () =>
  withGpu({ preset: emulated(SMALL) }, (gpu) => {
    assertEquals(adapterWords(gpu, "mixed"), `${gpu.adapter}, mixed precision with matrix units`);
    assertEquals(adapterWords(gpu, "float32"), gpu.adapter);
  }));
