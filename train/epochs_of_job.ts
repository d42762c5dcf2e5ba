import type { Job } from "./job.ts";
import type { TrainOptions } from "./types.ts";

/** The epoch, counted from 1, with which a job ends: those before a fine-tuning count. */
export function lastEpoch(
  { options: { epochs, finetuneEpochs }, epochsBefore }: Pick<Job, "options" | "epochsBefore">,
): number {
  return epochsBefore === undefined ? epochs : epochsBefore + finetuneEpochs;
}

/** The epochs of a training and of the fine-tuning after it. */
export function allEpochs(job: Pick<Job, "options" | "epochsBefore" | "objective">): number {
  const more = job.objective.mode === "adjoined" ? job.options.finetuneEpochs : 0;
  return lastEpoch(job) + more;
}

/** The epochs of a whole run with some options; only adjoined networks are fine-tuned. */
export function epochsOfRun(
  { mode, epochs, finetuneEpochs }: Pick<TrainOptions, "mode" | "epochs" | "finetuneEpochs">,
): number {
  return epochs + (mode === "adjoined" ? finetuneEpochs : 0);
}
