import { BEST } from "../options/authors.ts";
import { recipeValues } from "../options/recipe_values.ts";
import type { Job } from "../job.ts";
import { workloads } from "../workloads.ts";
import { uniformJob } from "./jobs.ts";
import type { TrainOptions } from "../types.ts";
import type { Ground, Method } from "./method.ts";
import { OF_PAIRS } from "./takes.ts";

/** Options that the recipe sets: they go before those of the command line. */
function own({ epochs }: Pick<TrainOptions, "epochs">): Partial<TrainOptions> {
  return recipeValues(BEST, { epochs });
}

const OWN_NAMES = Object.keys(own({ epochs: 1 }));

const jobOf = (ground: Ground): Job => uniformJob(ground, own(ground.options));

/**
 * Both networks on one set of weights, as it has been measured to be best for the small one, which
 * then learns alone for as many epochs.
 */
export const adjoinedBest: Method = {
  name: "adjoined-best",
  rows: {
    base: "base, adjoined, recipe best",
    small: "small, adjoined and fine-tuned, recipe best",
  },
  takes: OF_PAIRS.filter((name) => !OWN_NAMES.includes(name)),
  work: (ground) => workloads(jobOf(ground)),
  training: (turn) => ({ job: jobOf(turn) }),
};
