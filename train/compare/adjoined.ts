import { workloads } from "../workloads.ts";
import { uniformJob } from "./jobs.ts";
import type { Method } from "./method.ts";

/** Options of training two networks on one set of weights. */
export const OF_PAIRS: readonly string[] = ["detach"];

/** Both networks on one set of weights. */
export const adjoined: Method = {
  name: "adjoined",
  rows: { base: "base, adjoined", small: "small, adjoined" },
  takes: OF_PAIRS,
  work: (ground) => workloads(uniformJob(ground)),
  training: (turn) => ({ job: uniformJob(turn) }),
};
