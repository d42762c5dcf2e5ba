import { macsTogether } from "../nn/compress/macs_together.ts";
import type { Adjoined } from "../nn/compress/adjoin.ts";
import { count } from "../nn/count.ts";
import type { Network } from "../nn/network.ts";
import type { Workload } from "./estimate.ts";
import type { Job } from "./job.ts";
import { networksOf, pairsOf } from "./objective.ts";

/** A step takes the work of the forward pass once more for the images, and once for the weights. */
const PASSES = 3;

/** The work of a fine-tuning after the training of pairs. */
function tuning(
  pairs: readonly Adjoined[],
  { options: { finetuneEpochs, batchSize }, split: { train, validation }, steps }: Pick<
    Job,
    "options" | "split" | "steps"
  >,
): Workload[] {
  if (finetuneEpochs === 0) return [];
  const macs = pairs.reduce((sum, { small }) => sum + count(small, train).macs, 0);
  const images = finetuneEpochs * steps * batchSize;
  return [
    { stage: "training", images, macs: PASSES * macs + count(pairs[0].base, train).macs },
    { stage: "validation", images: finetuneEpochs * validation.length, macs },
  ];
}

/** All the work of a run: its training, a validation after each epoch, and the verification. */
export function workloads(
  { options, split, steps, objective, teacher }: Omit<Job, "teacher"> & {
    readonly teacher?: { readonly network: Network };
  },
): Workload[] {
  const { batchSize, finetuneEpochs } = options;
  const epochs = objective.mode === "finetune" ? finetuneEpochs : options.epochs;
  const { train, validation } = split;
  const pairs = pairsOf(objective);
  const macs = pairs.length
    ? macsTogether(pairs, train)
    : Object.values(networksOf(objective)).reduce((sum, net) => sum + count(net, train).macs, 0);
  const taught = teacher ? count(teacher.network, train).macs : 0;
  return [
    {
      stage: "training",
      images: epochs * steps * batchSize,
      macs: PASSES * macs + taught,
    },
    { stage: "validation", images: epochs * validation.length, macs },
    ...objective.mode === "adjoined" ? tuning(pairs, { options, split, steps }) : [],
    ...objective.mode === "adjoined"
      // All networks once more, and the extracted ones beside them.
      ? [{
        stage: "verification" as const,
        images: validation.length,
        macs: pairs.reduce((sum, { small }) => sum + count(small, train).macs, macs),
      }]
      : [],
  ];
}
