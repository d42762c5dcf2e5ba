import { workloads } from "../workloads.ts";
import { smallJob } from "./jobs.ts";
import type { Method } from "./method.ts";

/** The small network by itself. */
export const alone: Method = {
  name: "alone",
  rows: { small: "small alone" },
  work: (ground) => workloads(smallJob(ground)),
  training: (turn) => ({ job: smallJob(turn) }),
};
