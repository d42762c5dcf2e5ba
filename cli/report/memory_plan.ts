import type { Gpu } from "../../kernels/gpu.ts";
import { elements, type Tensor } from "../../kernels/gpu/tensor.ts";
import type { Program } from "../../kernels/program/program.ts";
import type { Scope } from "../../kernels/program/scope.ts";
import type { Gates } from "../../train/gates.ts";
import { finish } from "../../train/finish.ts";
import {
  type Job,
  type JobWeights,
  traceEvaluation,
  traceSnapshots,
  traceStep,
  weightsOf,
} from "../../train/job.ts";
import type { Snapshots } from "../../train/resume/snapshots.ts";
import type { Evaluation } from "../../train/evaluation.ts";
import type { TrainingStep } from "../../train/step.ts";
import { specsOf } from "../../train/objective.ts";
import { columns, grouped } from "../text.ts";

/** GPU memory for one purpose. */
export interface MemoryUse {
  /** Its contents, in words. */
  readonly what: string;
  /** Bytes that are taken, padding included. */
  readonly bytes: number;
  /** Bytes that no placement can do without. */
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
  { step, evaluation, snapshots }: {
    step: TrainingStep;
    evaluation: Evaluation;
    snapshots: Snapshots;
  },
): MemoryUse[] {
  const averaged = Object.entries(learner.groups).filter(([name]) => name.startsWith("average"))
    .map(([, { flat }]) => flat);
  const taught = teacher
    ? [teacher.weights.parameters.flat, teacher.weights.statistics.flat]
    : undefined;
  return [
    held("parameters", [learner.parameters.flat]),
    held("gradients", [learner.gradients.flat]),
    held("optimiser state", [...learner.moments, learner.hyper]),
    ...averaged.length ? [held("moving average", averaged)] : [],
    held("running statistics", [learner.statistics.flat]),
    ...taught ? [held("teacher", taught)] : [],
    held("batches and counters", [...step.tensors, ...evaluation.tensors]),
    totalUse(
      "values within a step",
      step.programs.map((program) => within(program.name, program)),
    ),
    within("values within an evaluation", evaluation.program),
    totalUse("checks of a checkpoint", [
      held("counts", snapshots.own),
      within("check", snapshots.program),
    ]),
  ];
}

/** The GPU memory that a run takes. */
export interface MemoryPlan {
  /** All that it has while it trains. */
  readonly uses: readonly MemoryUse[];
  /** The most bytes at once: what the uses come to, or what reading and comparing weights takes. */
  readonly peak: number;
  /** Convolutions whose tile the run would still have to choose. */
  readonly untimed: number;
}

/**
 * Takes memory on a GPU as a run does, in the same order, but trains nothing. `gatesOf` makes the
 * gates of a search, at whose end no networks are compared.
 */
export async function planMemory(
  gpu: Gpu,
  job: Job,
  gatesOf?: (scope: Scope) => Gates,
): Promise<MemoryPlan> {
  using scope = gpu.scope();
  const gates = gatesOf?.(scope);
  const { parameters, statistics } = specsOf(job.objective);
  const zeros = [...parameters, ...statistics].map(({ name, shape }) =>
    [name, new Float32Array(elements(shape))] as const
  );
  const weights = { ...weightsOf(scope, job, new Map(zeros)), gates };
  let uses: MemoryUse[];
  let untimed: number;
  {
    using training = gpu.scope();
    const step = await traceStep(training, job, weights);
    untimed = gpu.choices.open.length;
    const evaluation = await traceEvaluation(training, job, weights);
    const snapshots = await traceSnapshots(training, weights, step);
    uses = memoryUses(weights, { step, evaluation, snapshots });
    await snapshots.take();
    await step.read();
    await evaluation.read();
  }
  if (!gates) await finish(gpu, job, { ...weights, scores: {} });
  return { uses, peak: gpu.peak, untimed };
}

/** The table of what is taken. */
export function memoryTable({ uses, peak, untimed }: MemoryPlan): string[] {
  const rows = [...uses, totalUse("all while training", uses)];
  return [
    ...columns([
      ["GPU memory", "bytes", "at least"],
      ...rows.map(({ what, bytes, least }) => [what, grouped(bytes), grouped(least)]),
      ["peak of the run", grouped(peak), ""],
    ]),
    ...untimed ? [`a run first times tiles for ${untimed} convolutions, which changes this`] : [],
  ];
}
