import { ValidationBatches } from "../data/batches.ts";
import type { Gpu } from "../kernels/gpu.ts";
import { DivergedError } from "./errors.ts";
import { ImageWork } from "./image_work.ts";
import type { Job } from "./job.ts";
import { KernelSession } from "./kernel_session.ts";
import type { Reporter } from "./types.ts";

/** Raises a {@link DivergedError} where a run has a teacher whose outputs are no numbers. */
export async function demandFiniteTeacher(
  gpu: Gpu,
  { options: { teacher: path }, teacher: checkpoint, feed: { dataset, batch } }: Job,
  reporter: Reporter,
): Promise<void> {
  if (!checkpoint) return;
  using scope = gpu.scope();
  const session = await KernelSession.open(scope, { checkpoint, dataset, batch });
  const { loss } = await session.score(
    new ValidationBatches({ dataset, batch }),
    new ImageWork({ work: { what: "evaluating the teacher", total: dataset.length }, reporter }),
  );
  if (Number.isFinite(loss)) return;
  throw new DivergedError(
    `Cannot distill from ${
      path ?? "the teacher"
    }: wanted finite outputs on ${dataset.name}, found ` +
      `a cross entropy of ${loss}; pass another --teacher`,
  );
}
