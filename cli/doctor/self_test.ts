// Kernels on this adapter against their float64 references.
import { Random } from "../../data/random.ts";
import { PRODUCT_ALGORITHMS } from "../../kernels/conv/convolution.ts";
import { operandShapes, RESULT } from "../../kernels/conv/record_work.ts";
import { WEIGHT_GRADIENT_ALGORITHMS } from "../../kernels/conv/weight_gradient.ts";
import type { Work } from "../../kernels/conv/work.ts";
import { elements, type Tensor } from "../../kernels/gpu/tensor.ts";
import type { Gpu } from "../../kernels/gpu.ts";
import {
  adamw,
  adjoinedLoss,
  augment,
  batchNorm,
  crossEntropy,
  globalAvgPool2d,
  linear,
  maxPool2d,
} from "../../kernels/mod.ts";
import type { Op, Values } from "../../kernels/op.ts";
import type { Trace } from "../../kernels/program/trace.ts";
import type { Scope } from "../../kernels/program/scope.ts";
import { geometry } from "../../kernels/wgsl/geometry.ts";
import { convolutionSums } from "./convolution_sums.ts";

/** A kernel that was run. */
export interface Tested {
  /** Of the op, or of the algorithm and its direction. */
  readonly name: string;
  /** The L2 distance from the reference over its norm; infinite where a number is none. */
  readonly error: number;
}

/** What a kernel has to keep within: as in the tests of all ops. */
export const TOLERANCE = 1e-5;

/** Winograd's sums have last bits that differ a few times as much. */
const WINOGRAD_TOLERANCE = 1e-4;

/** Factors of half floats are off by up to 2^-11 of themselves, 2.8e-4 in the mean. */
const HALF_TOLERANCE = 3e-3;

/** Tolerances by how the names of algorithms begin, where they are others. */
const TOLERANCES: Readonly<Record<string, number>> = {
  winograd: WINOGRAD_TOLERANCE,
  matrix: HALF_TOLERANCE,
  half: HALF_TOLERANCE,
};

/** Whether a kernel computes what it should. */
export function holds({ name, error }: Tested): boolean {
  return error <= (TOLERANCES[name.split(/[ ,]/)[0]] ?? TOLERANCE);
}

function distance(found: ArrayLike<number>, wanted: ArrayLike<number>): number {
  let [difference, norm] = [0, 0];
  for (let i = 0; i < wanted.length; i++) {
    difference += (found[i] - wanted[i]) ** 2;
    norm += wanted[i] ** 2;
  }
  if (found.length !== wanted.length || Number.isNaN(difference)) return Infinity;
  return Math.sqrt(norm === 0 ? difference : difference / norm);
}

/** Something that is run once: what it records, and what has to come out. */
interface Check {
  readonly name: string;
  record(trace: Trace, scope: Scope): readonly Tensor[];
  wanted(): readonly ArrayLike<number>[];
}

/** What a training step runs besides convolutions, a kind of kernel each. */
const OPS: readonly Op[] = [
  batchNorm,
  maxPool2d,
  globalAvgPool2d,
  linear,
  crossEntropy,
  adjoinedLoss,
  adamw,
  augment,
];

/** An op on its last case: first ones are of single numbers. */
function checkOp(op: Op): Check {
  const { inputs, attributes } = op.cases[op.cases.length - 1];
  const random = new Random(0, op.name);
  const drawn = inputs.map((input) => {
    const { shape, type, sample } = "shape" in input
      ? input
      : { shape: input, type: undefined, sample: undefined };
    const normal = (): number => random.normal();
    const data = Float64Array.from(
      { length: elements(shape) },
      (_, i) => Math.fround(sample ? sample(normal, i) : normal()),
    );
    return { type, values: { shape, data } satisfies Values };
  });
  return {
    name: op.name,
    record: (trace, scope) =>
      op.forward(
        trace,
        drawn.map(({ type, values: { shape, data } }, i) =>
          scope.tensor(`input ${i}`, shape, data, type)
        ),
        attributes,
      ),
    wanted: () =>
      op.reference(drawn.map(({ values }) => values), attributes).map(({ data }) => data),
  };
}

/** Image side, inputs, filters and groups: for the kernels of dense layers, of the image, and of depth. */
const SHAPES = [
  [4, 128, 128, 1],
  [7, 16, 20, 1],
  [9, 3, 16, 1],
  [7, 12, 12, 12],
  [7, 16, 16, 2],
] as const;

const DIRECTIONS = ["forward", "input gradient", "weight gradient"] as const;

/** Every algorithm that the adapter has a use for, in each direction, on a work that it applies to. */
function checkAlgorithms(gpu: Gpu): Check[] {
  const found = new Map<string, Check>();
  for (const [size, inputs, outputs, groups] of SHAPES) {
    const x = { shape: [1, size, size, inputs] };
    const w = { shape: [3, 3, inputs / groups, outputs] };
    const g = geometry("conv2d", x, w, { stride: 1, padding: 1, groups });
    for (const direction of DIRECTIONS) {
      // Those of half floats apply in mixed precision alone.
      const work: Work = { direction, geometry: g, ...gpu.hasHalves && { precision: "mixed" } };
      const add = (algorithm: string, record: (trace: Trace, of: Operands) => void): void => {
        const name = `${algorithm}, ${direction}`;
        if (!found.has(name)) found.set(name, checkWork(name, work, record));
      };
      if (direction === "weight gradient") {
        for (const algorithm of WEIGHT_GRADIENT_ALGORITHMS) {
          const [plan] = algorithm.plans(gpu, work, 1);
          if (!plan) continue;
          add(algorithm.name, (trace, { x, w, y }) => {
            const pending = plan.record(trace, { geometry: g, x, dy: y });
            if (!pending.complete) trace.clear(w);
            pending.write(w, false);
          });
        }
      } else {
        for (const algorithm of PRODUCT_ALGORITHMS) {
          const [plan] = algorithm.plans(gpu, work, 1);
          if (!plan) continue;
          const forward = direction === "forward";
          add(algorithm.name, (trace, { x, w, y }) =>
            plan.record(trace, {
              ...{ direction, geometry: g, w, epilogue: {} },
              ...forward ? { x, y } : { x: y, y: x },
            }));
        }
      }
    }
  }
  return [...found.values()];
}

type Operands = Readonly<Record<"x" | "w" | "y", Tensor>>;

function checkWork(
  name: string,
  work: Work,
  record: (trace: Trace, of: Operands) => void,
): Check {
  const random = new Random(0, name);
  const shapes = operandShapes(work.geometry);
  const draw = (operand: "x" | "w" | "y"): Float64Array =>
    Float64Array.from(
      { length: elements(shapes[operand]) },
      () => Math.fround(random.uniform() - 0.5),
    );
  const drawn = { x: draw("x"), w: draw("w"), y: draw("y") };
  const result = RESULT[work.direction];
  return {
    name,
    record: (trace, scope) => {
      const tensor = (operand: "x" | "w" | "y"): Tensor =>
        operand === result
          ? scope.tensor(operand, shapes[operand])
          : scope.tensor(operand, shapes[operand], drawn[operand]);
      const operands = { x: tensor("x"), w: tensor("w"), y: tensor("y") };
      record(trace, operands);
      return [operands[result]];
    },
    wanted: () => [convolutionSums(work, drawn)],
  };
}

/**
 * Runs a handful of ops, and each algorithm of convolution that applies; all are
 * compiled and run together, so that there is one wait.
 */
export async function selfTest(gpu: Gpu): Promise<Tested[]> {
  using scope = gpu.scope();
  const checks = [...OPS.map(checkOp), ...checkAlgorithms(gpu)];
  const made: Tensor[][] = [];
  const program = await scope.trace("self-test", (trace) => {
    for (const check of checks) {
      const outputs = check.record(trace, scope);
      made.push(outputs.map((output) => output.storage ? output : trace.keep(output)));
    }
  });
  program.replay();
  const read = await gpu.read(made.flat());
  let first = 0;
  return checks.map((check, i) => {
    const own = read.slice(first, first += made[i].length);
    const errors = check.wanted().map((wanted, k) => distance(own[k], wanted));
    return { name: check.name, error: Math.max(...errors) };
  });
}
