import { BEST } from "../options/authors.ts";
import { recipeValues } from "../options/recipe_values.ts";
import { workloads } from "../workloads.ts";
import { uniformJob } from "./jobs.ts";
import type { Method } from "./method.ts";
import { OF_PAIRS } from "./takes.ts";

/** Options that the recipe sets: they go before those of the command line. */
const OWN = recipeValues(BEST);

/** Both networks on one set of weights, as it has been measured to be best for the small one. */
export const adjoinedBest: Method = {
  name: "adjoined-best",
  rows: { base: "base, adjoined, recipe best", small: "small, adjoined, recipe best" },
  takes: OF_PAIRS.filter((name) => !Object.hasOwn(OWN, name)),
  work: (ground) => workloads(uniformJob(ground, OWN)),
  training: (turn) => ({ job: uniformJob(turn, OWN) }),
};
