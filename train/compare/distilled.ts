import { jobOn } from "../job.ts";
import { workloads } from "../workloads.ts";
import { base } from "./base.ts";
import { baseJob, smallJob } from "./jobs.ts";
import type { Method } from "./method.ts";
import { OF_TAUGHT } from "./takes.ts";

/** The small network, taught by the base network that was trained alone. */
export const distilled: Method = {
  name: "distilled",
  rows: { small: "small, distilled from the base alone" },
  needs: [base],
  takes: OF_TAUGHT,
  work: (ground) => {
    const teacher = { network: baseJob(ground).adjoined.base };
    return workloads({ ...smallJob(ground), teacher });
  },
  training: async (turn) => {
    const inputs = { ...turn.inputs, teacher: await turn.trained(base, "base") };
    return { job: jobOn(inputs, { ...smallJob(turn).options, mode: "distill" }) };
  },
};
