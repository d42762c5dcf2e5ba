import { workloads } from "../workloads.ts";
import { uniformJob } from "./jobs.ts";
import type { Method } from "./method.ts";
import { OF_PAIRS } from "./takes.ts";

/** Both networks on one set of weights. */
export const adjoined: Method = {
  name: "adjoined",
  rows: { base: "base, adjoined", small: "small, adjoined" },
  takes: OF_PAIRS,
  work: (ground) => workloads(uniformJob(ground)),
  training: (turn) => ({ job: uniformJob(turn) }),
};
