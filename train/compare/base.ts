import { workloads } from "../workloads.ts";
import { baseJob } from "./jobs.ts";
import type { Method } from "./method.ts";

/** The base network by itself. */
export const base: Method = {
  name: "base",
  rows: { base: "base alone" },
  work: (ground) => workloads(baseJob(ground)),
  training: (turn) => ({ job: baseJob(turn) }),
};
