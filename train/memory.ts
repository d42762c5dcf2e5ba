import type { Program } from "../kernels/program/program.ts";
import type { Tensor } from "../kernels/gpu/tensor.ts";
import type { JobWeights } from "./job.ts";
import type { Evaluation } from "./evaluation.ts";
import type { TrainingStep } from "./step.ts";

/** GPU memory for one purpose. */
export interface MemoryUse {
  /** What it holds. */
  readonly what: string;
  /** What is taken, padding included. */
  readonly bytes: number;
  /** What no placement can do without. */
  readonly least: number;
}

/** The sum of uses, under a name of its own. */
export function totalUse(what: string, uses: readonly MemoryUse[]): MemoryUse {
  return {
    what,
    bytes: uses.reduce((sum, { bytes }) => sum + bytes, 0),
    least: uses.reduce((sum, { least }) => sum + least, 0),
  };
}

/** Tensors that have a buffer each. */
function held(what: string, tensors: readonly Tensor[]): MemoryUse {
  return totalUse(
    what,
    tensors.map((t) => ({ what: t.name, bytes: t.storage?.buffer.size ?? 0, least: t.bytes })),
  );
}

function within(what: string, { bytes, lowerBound }: Program): MemoryUse {
  return { what, bytes, least: lowerBound };
}

/** All that a run has on the GPU while it trains. */
export function memoryUses(
  { learner, teacher }: JobWeights,
  { step, evaluation }: { step: TrainingStep; evaluation: Evaluation },
): MemoryUse[] {
  const taught = teacher
    ? [teacher.weights.parameters.flat, teacher.weights.statistics.flat]
    : undefined;
  return [
    held("parameters", [learner.parameters.flat]),
    held("gradients", [learner.gradients.flat]),
    held("optimiser state", [...learner.moments, learner.hyper]),
    held("running statistics", [learner.statistics.flat]),
    ...taught ? [held("teacher", taught)] : [],
    held("batches and counters", [...step.tensors, ...evaluation.tensors]),
    within("values within a step", step.program),
    within("values within an evaluation", evaluation.program),
  ];
}
