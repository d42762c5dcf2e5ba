// Measures on a graphics card, in ten minutes, how fast this project is beside what people run there,
// and which of the bounds it reaches. All that is found is kept as soon as it is there.
import { cureFor, whyNot } from "../cli/run/unwritable.ts";
import { goWhereTyped } from "../cli/environment.ts";
import { fail } from "../cli/failure.ts";
import { messageOf } from "../data/message_of.ts";
import { printable } from "../data/printable.ts";
import { UsageError } from "../train/errors.ts";
import { compareAccuracies } from "./card/accuracy.ts";
import type { Context } from "./card/context.ts";
import { machineLines } from "./card/machine.ts";
import {
  CARD,
  type Part,
  PARTS,
  partsOf,
  type Plan,
  TASK_PARTS,
  timeFor,
  TRIAL,
} from "./card/plan.ts";
import { profileSteps } from "./card/profile.ts";
import { reportText, verdicts } from "./card/report.ts";
import { NOTHING, type Results } from "./card/results.ts";
import { seatedForCard, timeTasks } from "./card/tasks.ts";
import { leave, type Seat } from "./compare_task.ts";
import { helped } from "./helped.ts";
import { print, takeFlags, wholeNumber } from "./trials.ts";

const USAGE = `Usage: deno task bench card [--output DIR] [--minutes N] [--parts LIST] [--trial]

Measures steps and convolutions in all precisions, on Deno's own WebGPU and on Dawn where it is
installed, in turn with PyTorch's TF32 and autocast, steps of both networks, accuracies, and where the
time of a step goes. Says which bounds are reached; all that is found is kept in a folder.

  --output   the folder. Default: one in runs/ with the time in its name
  --minutes  how long all of it may take; each part has its share. Default: 10
  --parts    some of ${PARTS.join(", ")}, with commas between. Default: all
  --trial    do all of it in a size for a software adapter, to see that it works

Example:
  deno task bench card --output runs/card`;

/** The files that are written. */
const RESULTS = ["report.md", "results.json"] as const;

/** The flag for {@link TRIAL}. */
const TRIAL_FLAG = "trial";

/** What the command line asks for. */
export interface Asked {
  readonly plan: Plan;
  readonly parts: readonly Part[];
  readonly minutes: number;
  readonly folder: string;
}

/** What words ask for. Raises a `UsageError`. */
export function asked(args: readonly string[]): Asked {
  const words = args.filter((arg) => arg !== `--${TRIAL_FLAG}`);
  const flags = takeFlags(words, ["output", "minutes", "parts"]);
  if (flags.rest.length) {
    throw new UsageError(
      `bench card takes --output, --minutes, --parts and --trial, found ` +
        printable(flags.rest.join(" ")),
    );
  }
  const parts = flags.given("parts").at(-1);
  const now = new Date().toISOString().slice(0, 19).replaceAll(":", "-");
  return {
    plan: words.length < args.length ? TRIAL : CARD,
    parts: parts === undefined ? PARTS : partsOf(parts),
    minutes: wholeNumber(flags, "minutes", { otherwise: 10 }),
    folder: flags.given("output").at(-1) ?? `runs/card-${now}`,
  };
}

/**
 * Makes the folder of results, and gives its true path. Raises a `UsageError` for one that cannot be
 * made, or has results.
 */
export async function takeResultsFolder(folder: string): Promise<string> {
  const unusable = (why: string, cure = "choose another --output"): UsageError =>
    new UsageError(`Cannot use ${printable(folder)} as the folder of results: ${why}; ${cure}`);
  try {
    await Deno.mkdir(`${folder}/cache`, { recursive: true });
  } catch (error) {
    throw unusable(whyNot(error), cureFor(error, folder));
  }
  const there = await Deno.realPath(folder);
  for (const name of RESULTS) {
    if (await Deno.lstat(`${there}/${name}`).catch(() => undefined)) {
      throw unusable(`it holds ${name} of an earlier one`);
    }
  }
  return there;
}

/** Does all parts, each within its time. */
async function measure({ plan, parts, minutes, folder }: Asked, command: string): Promise<Results> {
  const end = performance.now() + 60_000 * minutes;
  const there = await takeResultsFolder(folder);
  let found: Results = NOTHING;
  const add = async (more: Partial<Results>): Promise<void> => {
    found = { ...found, ...more };
    await Deno.writeTextFile(`${there}/results.json`, JSON.stringify(found, null, 2) + "\n");
    await Deno.writeTextFile(`${there}/report.md`, reportText(found, command));
  };
  await add({ machine: await machineLines() });
  print(found.machine.join("\n"));
  let seats: Seat[] = [];
  const run: Readonly<Record<Part, (context: Context) => Promise<void>>> = {
    steps: (context) => timeTasks(context, "steps", seats),
    convolutions: (context) => timeTasks(context, "convolutions", seats),
    twins: (context) => timeTasks(context, "twins", seats),
    accuracy: compareAccuracies,
    profile: profileSteps,
  };
  const timed = parts.filter((part) => TASK_PARTS.some((name) => name === part));
  try {
    for (const [i, part] of parts.entries()) {
      const until = performance.now() + timeFor(parts.slice(i), end - performance.now());
      const left = (): number => until - performance.now();
      const context = { plan, folder: there, left, results: () => found, add, tell: print };
      try {
        if (part === timed[0]) seats = await seatedForCard(context);
        await run[part](context);
      } catch (error) {
        const note = `${part}: ${printable(messageOf(error))}`;
        print(note);
        await add({ notes: [...found.notes, note] });
      }
      // What comes next has the device for itself.
      if (part === timed.at(-1)) await leave(seats.splice(0));
    }
  } finally {
    await leave(seats);
  }
  return found;
}

if (import.meta.main && !helped(USAGE)) {
  try {
    goWhereTyped();
    const wanted = asked(Deno.args);
    const command = ["deno task bench card", ...Deno.args].join(" ");
    const found = await measure(wanted, command);
    print(`\n${verdicts(found).join("\n")}\n\nreport.md, results.json in ${wanted.folder}`);
  } catch (error) {
    fail(error, ["bench"]);
  }
}
