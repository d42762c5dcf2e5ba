import type { Command } from "./flags/commands.ts";

/** Does what a command line asks for with what follows the command; gives the exit code. */
type Run<C extends Command> = (args: readonly string[], command: C) => number | Promise<number>;

type Actions = { readonly [C in Command]: () => Promise<{ readonly run: Run<C> }> };

/** What each command does: a file each, loaded when it is asked for. */
const ACTIONS: Actions = {
  train: () => import("./commands/train.ts"),
  search: () => import("./commands/search.ts"),
  compare: () => import("./commands/compare.ts"),
  export: () => import("./commands/export.ts"),
  eval: () => import("./commands/eval.ts"),
  data: () => import("./commands/data.ts"),
  predict: () => import("./commands/predict.ts"),
  summary: () => import("./commands/summary.ts"),
  serve: () => import("./commands/serve.ts"),
  doctor: () => import("./commands/doctor.ts"),
  report: () => import("./commands/report.ts"),
  completions: () => import("./commands/completions.ts"),
  parity: () => import("./commands/parity.ts"),
  wgsl: () => import("./commands/wgsl.ts"),
  "bench conv": () => import("./commands/bench.ts"),
  "bench step": () => import("./commands/bench.ts"),
  "bench data": () => import("./commands/bench.ts"),
  "bench peers": () => import("./commands/bench.ts"),
};

/** Runs a command with what follows its name; gives the exit code. */
export async function runCommand<C extends Command>(
  command: C,
  args: readonly string[],
): Promise<number> {
  const { run } = await ACTIONS[command]();
  return await run(args, command);
}
