// A process that trains nothing and saves all the time, until it is killed:
//   deno run -A tests/torture/saving_run.ts save FOLDER      goes on with the run in a folder, if any
//   deno run -A tests/torture/saving_run.ts replace FOLDER   ends one run after the other there
// It prints the number of each state, or run, as soon as what it has saved counts.
import { readArguments } from "../../cli/arguments.ts";
import { trainRequest } from "../../cli/options.ts";
import { findRun, type FoundRun } from "../../cli/run/found_run.ts";
import { RunFolder } from "../../cli/run/run_folder.ts";
import { DataError } from "../../data/error.ts";
import type { TrainingState } from "../../train/resume/training_state.ts";
import type { EpochMetrics, Which } from "../../train/types.ts";
import { runSummary } from "../run_metrics.ts";

/** Options that nothing is trained with. */
export const { options: OPTIONS } = trainRequest(readArguments("train", []));

/** Names and lengths of what is saved: one that a single write takes, and one that takes several. */
const TENSORS = { "parameters/a": 900, "parameters/b": 60_000, "statistics/c": 7 };

/** The row of metrics.jsonl of an epoch. */
export function rowOf(epoch: number): EpochMetrics {
  return {
    ...{ epoch, epochs: 1000, imagesPerSecond: 1, loss: 1, crossEntropy: 1, kl: 0, lambda: 1 },
    ...{ lr: 1, training: {}, waiting: 0, etaSeconds: 0, seconds: 1, validation: {} },
  };
}

/** The state after an epoch; all of its values are the number of it. */
export function stateAt(epoch: number, history: readonly EpochMetrics[] = []): TrainingState {
  return {
    phase: "train",
    position: { epoch, step: 0 },
    tensors: new Map(
      Object.entries(TENSORS).map(([name, length]) => [name, new Float32Array(length).fill(epoch)]),
    ),
    numbers: {},
    history,
    seconds: epoch,
    run: {
      ...{ adapter: "none", options: OPTIONS, classes: ["a", "b"], image: [1, 1, 1] },
      normalization: { mean: [0], std: [1] },
    },
  };
}

/** The networks that are best after an epoch. */
function bestAt(epoch: number): Which[] {
  const best: Which[] = epoch % 3 === 0 ? ["small"] : [];
  return epoch % 5 === 0 ? ["base", ...best] : best;
}

/** Goes on with the run in a folder, if there is one; gives its epochs so far. */
async function goOn(folder: RunFolder, path: string): Promise<readonly EpochMetrics[]> {
  let found: FoundRun | undefined;
  try {
    found = await findRun(path);
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
  }
  if (!found) {
    folder.start(OPTIONS);
    return [];
  }
  await folder.resume(found, OPTIONS);
  return found.history;
}

/** Saves states without end. */
export async function saveOn(
  path: string,
  { note, say, until = Infinity }: {
    readonly note: (text: string) => void;
    /** Is told of a state when training may go on after it: the one before is on the disk then. */
    readonly say: (epoch: number) => void;
    readonly until?: number;
  },
): Promise<void> {
  using folder = new RunFolder(path, { named: true, overwrite: true }, { note, keep: 2 });
  const history = [...await goOn(folder, path)];
  while (history.length < until) {
    const epoch = history.length + 1;
    history.push(rowOf(epoch));
    folder.append(rowOf(epoch));
    await folder.keeper.save(stateAt(epoch, history.slice()), { best: bestAt(epoch) });
    say(epoch);
  }
  await folder.keeper.settled();
}

/** The files of a run, which say which one it is. */
export function filesOf(run: number): Map<string, string> {
  const names = ["base.safetensors", "small.safetensors", run % 2 ? "curves.svg" : "batch.png"];
  return new Map(names.map((name) => [name, `run ${run}`]));
}

/** Says when it puts a run in the place of another. */
class ToldFolder extends RunFolder {
  told = (): void => {};

  override publish(): void {
    this.told();
    super.publish();
  }
}

/** Replaces the run in a folder without end; says, half a number less, when one is about to be, too. */
async function replaceOn(path: string, say: (run: number) => void): Promise<void> {
  let run = 0;
  for (const folder of [`${path}/replacing`, path]) {
    const config = await Deno.readTextFile(`${folder}/config.json`).catch(() => undefined);
    if (config !== undefined) run = Math.max(run, JSON.parse(config).seed);
  }
  for (;;) {
    run++;
    const raise = (text: string): never => {
      throw new Error(text);
    };
    using folder = new ToldFolder(path, { named: true, overwrite: true }, { note: raise });
    folder.told = () => say(run - 0.5);
    folder.start({ ...OPTIONS, seed: run });
    for (const epoch of [1, 2]) {
      folder.append(rowOf(epoch));
      await folder.keeper.save(stateAt(run), { best: ["small"] });
    }
    await folder.finish(filesOf(run), { ...runSummary, seed: run });
    say(run);
  }
}

if (import.meta.main) {
  const [what, path] = Deno.args;
  const say = (number: number): void => void Deno.stdout.writeSync(text.encode(`${number}\n`));
  const text = new TextEncoder();
  const note = (why: string): void => {
    throw new Error(why);
  };
  if (what === "save") await saveOn(path, { note, say });
  else await replaceOn(path, say);
}
