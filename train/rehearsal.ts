import type { Gpu } from "../kernels/gpu.ts";
import type { Scope } from "../kernels/program/scope.ts";
import type { Gates } from "./gates.ts";
import {
  initialState,
  type Job,
  traceEvaluation,
  traceSnapshots,
  traceStep,
  weightsOf,
} from "./job.ts";

/**
 * Takes all memory that a job takes while it trains, and gives it back; trains nothing. Raises an
 * `OutOfMemoryError` where there is not so much. `gatesOf` makes the gates of a search.
 */
export async function rehearse(
  gpu: Gpu,
  job: Job,
  gatesOf?: (scope: Scope) => Gates,
): Promise<void> {
  using scope = gpu.scope();
  const gates = gatesOf?.(scope);
  const weights = { ...weightsOf(scope, job, initialState(job)), gates };
  const step = await traceStep(scope, job, weights);
  const evaluation = await traceEvaluation(scope, job, weights);
  const snapshots = await traceSnapshots(scope, weights, step);
  await snapshots.take();
  await step.read();
  await evaluation.read();
}
