// Kernels of matrix units, with ordinary loops in the place of the units, against float64.
import { assert, assertEquals } from "@std/assert";
import { Gpu } from "../kernels/gpu.ts";
import { MATRIX_TILES, type MatrixTile } from "../kernels/matrix/tile.ts";
import { conv2d, maskedConv2d } from "../kernels/ops/conv2d.ts";
import { linear } from "../kernels/ops/linear.ts";
import { GPU, type Preset } from "../kernels/preset.ts";
import { holds as holdsNumbers, selfTest } from "../cli/doctor/self_test.ts";
import { settleMatrices } from "../kernels/conv/matrix_check.ts";
import { matricesOf } from "../kernels/conv/matrix_tiles.ts";
import { emulatedOperations } from "../kernels/matrix/emulated.ts";
import type { MatrixOperations } from "../kernels/matrix/operations.ts";
import { adapterWords } from "../train/precision.ts";
import { holds } from "./op_suite.ts";

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

Deno.test("matrix units equal the float64 reference in all cases", () =>
  withGpu({ preset: emulated(SMALL) }, async (gpu) => {
    await holds(gpu, conv2d, conv2d.cases, HALVES);
    await holds(gpu, maskedConv2d, maskedConv2d.cases, HALVES);
    await holds(gpu, linear, linear.cases, HALVES);
  }));

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

Deno.test("the self-test runs what mixed precision has", () =>
  withGpu({ preset: emulated(SMALL) }, async (gpu) => {
    const tested = await selfTest(gpu);
    const names = tested.map(({ name }) => name);
    assert(names.includes("matrix product, input gradient"), names.join());
    assertEquals(tested.filter((each) => !holdsNumbers(each)), []);
  }));

Deno.test("the adapter's line tells of matrix units where steps use them", () =>
  withGpu({ preset: emulated(SMALL) }, (gpu) => {
    assertEquals(adapterWords(gpu, "mixed"), `${gpu.adapter}, mixed precision with matrix units`);
    assertEquals(adapterWords(gpu, "float32"), gpu.adapter);
  }));
