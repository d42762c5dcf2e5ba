import { BENCH_CONV, BENCH_DATA, BENCH_PEERS, BENCH_STEP } from "./bench.ts";
import type { CommandDescription } from "./command.ts";
import { COMPARE } from "./compare.ts";
import { COMPLETIONS } from "./completions.ts";
import { DATA } from "./data.ts";
import { DOCTOR } from "./doctor.ts";
import { EVAL } from "./eval.ts";
import { EXPORT } from "./export.ts";
import { PARITY } from "./parity.ts";
import { PREDICT } from "./predict.ts";
import { REPORT } from "./report.ts";
import { SEARCH } from "./search.ts";
import { SERVE } from "./serve.ts";
import { SUMMARY } from "./summary.ts";
import { TRAIN } from "./train.ts";
import { WGSL } from "./wgsl.ts";

/** The commands, in the order of the help. */
export const COMMANDS = {
  train: TRAIN,
  search: SEARCH,
  compare: COMPARE,
  export: EXPORT,
  eval: EVAL,
  data: DATA,
  predict: PREDICT,
  summary: SUMMARY,
  serve: SERVE,
  doctor: DOCTOR,
  report: REPORT,
  completions: COMPLETIONS,
  parity: PARITY,
  wgsl: WGSL,
  "bench conv": BENCH_CONV,
  "bench step": BENCH_STEP,
  "bench data": BENCH_DATA,
  "bench peers": BENCH_PEERS,
} as const satisfies Record<string, CommandDescription>;

/** The name of a command. */
export type Command = keyof typeof COMMANDS;

/** The names of all commands. */
export const COMMAND_NAMES = Object.keys(COMMANDS) as readonly Command[];

/** Whether a word is the name of a command. */
export function isCommand(name: string | undefined): name is Command {
  return name !== undefined && Object.hasOwn(COMMANDS, name);
}

/** Whether a name is the first word of several commands, as `bench`. */
export function isGroup(name: string): boolean {
  return COMMAND_NAMES.some((command) => command.startsWith(`${name} `));
}
