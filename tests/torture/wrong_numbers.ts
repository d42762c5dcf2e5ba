// Values that are no numbers, put into random tensors at random steps of small runs:
//   deno run -A tests/torture/wrong_numbers.ts [SHARE]
import { readArguments } from "../../cli/arguments.ts";
import { searchRequest, trainRequest } from "../../cli/options.ts";
import type { Split } from "../../data/dataset.ts";
import { generatedSplit } from "../../data/generated.ts";
import { Random } from "../../data/random.ts";
import { parseSafetensors } from "../../data/safetensors.ts";
import type { Checkpoint } from "../../export/checkpoint.ts";
import { Gpu } from "../../kernels/gpu.ts";
import { notFinite } from "../../nn/wrong_value.ts";
import { DivergedError } from "../../train/errors.ts";
import { initialState, jobOn } from "../../train/job.ts";
import type { Course } from "../../train/resume/course.ts";
import { type KeptAs, MemoryKeeper } from "../../train/resume/keeper.ts";
import type { TrainingState } from "../../train/resume/training_state.ts";
import { findWidths, searchOn } from "../../train/search.ts";
import { runJob } from "../../train/train.ts";
import type { Reporter, TrainOptions } from "../../train/types.ts";
import { Injection, TRANSIENT } from "./injection.ts";

const IMAGES = { train: 24, validation: 8, size: 12, seed: 7 };

/** Steps of a run: 3 in each of 2 epochs. */
const STEPS = 6;

const SIZES = [
  ...["--model", "resnet8", "--stem", "cifar", "--batch-size", "8", "--val-size", "8"],
  ...["--sched", "constant"],
];

/** Flags of runs, which between them have all kinds of tensors. */
export const RUNS: Readonly<Record<string, readonly string[]>> = {
  "adjoined, sgd": ["--opt", "sgd", "--lr", "0.01"],
  "adjoined, adamw, averages": ["--opt", "adamw", "--model-ema-decay", "0.9"],
  "plain, clipped, in parts": ["--mode", "plain", "--clip-grad", "1", "--grad-accum-steps", "2"],
  "adjoined, mixup, jitter": [
    "--mixup",
    "0.4",
    "--color-jitter",
    "0.4",
    "--model-ema-decay",
    "0.5",
  ],
  "distill": ["--mode", "distill", "--teacher", "TEACHER"],
  "search": ["--budget-macs", "0.5", "--search-epochs", "2"],
};

/** Places that only one step has, or that each step sets anew. */
const PASSING: readonly string[] = [...TRANSIENT, "gates gamma"];

/** What has to come of it. */
type Outcome = "steps left out" | "gone back" | "given up";

/** One run into which values are put. */
export interface Case {
  readonly run: string;
  readonly place: string;
  readonly value: number;
  readonly outcome: Outcome;
  /** Steps into which values are put. */
  readonly times: number;
  /** The first of them. */
  readonly step: number;
  readonly checkpointSteps?: number;
  readonly seed: number;
}

/** Keeps all states. */
class AllStates extends MemoryKeeper {
  readonly all: TrainingState[] = [];

  override save(state: TrainingState, as?: KeptAs): Promise<void> {
    this.all.push(state);
    return super.save(state, as);
  }
}

/** What a run came to. */
interface Came {
  readonly keeper: AllStates;
  readonly notes: readonly string[];
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly epochs: number;
  readonly error?: DivergedError;
}

/** A base network that nothing was trained for. */
function teacherOn(split: Split, options: TrainOptions): Checkpoint {
  const job = jobOn({ split }, { ...options, mode: "plain", which: "base" });
  const { classes, height, width, channels } = split.train;
  return {
    ...{ which: "base", classes, image: [height, width, channels] },
    ...{ network: job.adjoined.base, state: initialState(job) },
    normalization: split.normalization,
  };
}

async function doRun(
  gpu: Gpu,
  { run, checkpointSteps, seed }: Pick<Case, "run" | "checkpointSteps" | "seed">,
): Promise<Came> {
  const keeper = new AllStates();
  const notes: string[] = [];
  const reporter: Reporter = {
    start: () => {},
    progress: () => {},
    work: () => {},
    epoch: () => {},
    note: (text) => void notes.push(text),
  };
  const course: Course = { keeper };
  const split = generatedSplit(IMAGES);
  const flags = [
    ...[...SIZES, ...RUNS[run], "--seed", `${seed}`, "--epochs", "2"],
    ...checkpointSteps === undefined ? [] : ["--checkpoint-steps", `${checkpointSteps}`],
  ];
  const came = { keeper, notes };
  try {
    if (run === "search") {
      const { options, find } = searchRequest(readArguments("search", flags));
      const { history } = await findWidths(gpu, searchOn({ split }, options, find), reporter, {
        course,
      });
      return { ...came, files: new Map(), epochs: history.length };
    }
    const { options } = trainRequest(readArguments("train", flags));
    const teacher = options.mode === "distill" ? teacherOn(split, options) : undefined;
    const job = jobOn({ split, teacher }, options);
    const { files, summary } = await runJob(gpu, job, reporter, { course });
    return { ...came, files, epochs: summary.epochs };
  } catch (error) {
    if (!(error instanceof DivergedError)) throw error;
    return { ...came, files: new Map(), epochs: 0, error };
  }
}

/** The first tensor of some that holds what is no number. */
function wrongOf(
  tensors: Iterable<readonly [string, Float32Array | Uint32Array]>,
): string | undefined {
  for (const [name, values] of tensors) {
    if (values instanceof Float32Array && notFinite(values) !== undefined) return name;
  }
}

/** What is not as it was promised; nothing where all is. */
function broken(
  { outcome, times, checkpointSteps }: Case,
  { keeper, notes, files, epochs, error }: Came,
): string | undefined {
  for (const { tensors, position } of keeper.all) {
    const name = wrongOf(tensors);
    if (name) return `${name} of the state at ${JSON.stringify(position)} holds what is no number`;
  }
  for (const [file, bytes] of files) {
    const { tensors } = parseSafetensors(bytes, file);
    const name = wrongOf([...tensors].map(([name, { data }]) => [name, data as Float32Array]));
    if (name) return `${name} of ${file} holds what is no number`;
  }
  const left = notes.filter((note) => note.startsWith("left out")).reduce(
    (sum, note) => sum + Number(/left out (\d+) step/.exec(note)?.[1]),
    0,
  );
  const returns = notes.filter((note) => note.includes("going back to"));
  const found = `${left} steps left out, ${returns.length} returns, ${
    error ? error.message : "an end"
  }`;
  const rate = keeper.all.at(-1)?.numbers.rate;
  const wanted = { "steps left out": 0, "gone back": 1, "given up": 2 }[outcome];
  if (returns.length !== wanted) return `wanted ${wanted} returns, found ${found}`;
  if ((error !== undefined) !== (outcome === "given up")) return `found ${found}`;
  if (outcome === "steps left out" && left !== times) return `wanted ${times} left, found ${found}`;
  if (error) return undefined;
  if (rate !== 1 / 2 ** wanted) return `found a rate of ${rate} at the end`;
  if (returns.some((note) => !note.includes("half the learning rate"))) return `found ${returns}`;
  if (epochs !== 2) return `found ${epochs} epochs`;
  return outcome === "steps left out" && checkpointSteps === 1 ? changed(keeper, times) : undefined;
}

/** Whether steps that were left out have changed what is trained. */
function changed({ all }: AllStates, times: number): string | undefined {
  let same = 0;
  for (let i = 1; i < all.length; i++) {
    if (all[i].tensors.get("guard")?.[3] === all[i - 1].tensors.get("guard")?.[3]) continue;
    for (const [name, values] of all[i].tensors) {
      if (/^(guard|gates (gamma|excess|draws))$/.test(name)) continue;
      // The means of an epoch begin anew with it.
      if (name.startsWith("tally/") && all[i - 1].position.step === 0) continue;
      const before = all[i - 1].tensors.get(name);
      if (values.every((x, k) => x === before?.[k])) continue;
      return `${name} was changed by a step that was left out, ${JSON.stringify(all[i].position)}`;
    }
    same++;
  }
  // A state at the end of an epoch is of its last step.
  return same === times ? undefined : `wanted ${times} states as before, found ${same}`;
}

/** Draws cases; all kinds of runs and places come in turn. */
export function drawnCases(
  count: number,
  places: Readonly<Record<string, readonly string[]>>,
): Case[] {
  const random = new Random(20, "wrong numbers");
  const each = Object.entries(places).flatMap(([run, names]) =>
    names.map((place) => ({ run, place }))
  );
  const cases: Case[] = [];
  for (let i = 0; i < count; i++) {
    // Places of a run that comes first are not always the ones that come first.
    const { run, place } = each[(i * 7) % each.length];
    const passes = PASSING.includes(place);
    const outcomes: readonly Outcome[] = passes
      ? ["steps left out", "steps left out", "gone back", "given up"]
      : ["gone back", "gone back", "given up"];
    const outcome = outcomes[random.integer(outcomes.length)];
    const times = !passes ? 1 : outcome === "steps left out" ? 1 + random.integer(2) : 3;
    cases.push({
      ...{ run, place, outcome, times },
      value: [NaN, NaN, Infinity, -Infinity][random.integer(4)],
      step: random.integer(STEPS - times + 1),
      // Steps that are done again take a checkpoint that is far enough behind.
      checkpointSteps: passes && outcome === "given up"
        ? undefined
        : [undefined, 1, 2][random.integer(3)],
      seed: i,
    });
  }
  return cases;
}

/** The places that runs have. */
export async function placesOf(
  gpu: Gpu,
  injection: Injection,
): Promise<Record<string, readonly string[]>> {
  const places: Record<string, readonly string[]> = {};
  for (const run of Object.keys(RUNS)) {
    injection.aim({ place: "", value: 0, random: new Random(0), at: () => false });
    const { notes, error } = await doRun(gpu, { run, seed: 0 });
    if (error || notes.some((note) => /left out|going back/.test(note))) {
      throw new Error(`Cannot put anything into ${run}: found ${error ?? notes}`);
    }
    places[run] = injection.places;
  }
  return places;
}

/** Does one run. Gives what was hit, and what is not as it was promised, if anything. */
export async function injectedRun(
  gpu: Gpu,
  injection: Injection,
  one: Case,
): Promise<{ readonly hits: readonly string[]; readonly fault?: string }> {
  const { place, value, outcome, times, step, seed } = one;
  /** Steps that are still to be hit; after a return, as many again where the run is to be given up. */
  let [left, from] = [times, step];
  let last = -1;
  injection.aim({
    ...{ place, value, random: new Random(seed, "what is hit") },
    at: (n) => {
      last = n;
      if (n < from || left === 0) return false;
      left--;
      return true;
    },
  });
  injection.wentBack = () => {
    if (outcome === "given up") [left, from] = [times, last + 1];
  };
  const came = await doRun(gpu, one);
  return { hits: [...injection.hits], fault: broken(one, came) };
}

/** Does `share` of 100 runs; tells of each kind. Raises an `Error` for outcomes that were not promised. */
export async function wrongNumbers(share: number, print: (line: string) => void): Promise<void> {
  const gpu = await Gpu.open();
  try {
    using injection = new Injection();
    const count = Math.max(1, Math.round(100 * share));
    const cases = drawnCases(count, await placesOf(gpu, injection));
    const outcomes: Partial<Record<Outcome, number>> = {};
    const tensors = new Set<string>();
    let faults = 0;
    for (const one of cases) {
      const { hits, fault } = await injectedRun(gpu, injection, one);
      for (const hit of hits) tensors.add(hit);
      outcomes[one.outcome] = (outcomes[one.outcome] ?? 0) + 1;
      if (hits.length === 0 || fault) {
        faults++;
        const { run, place, value, step, outcome, times, checkpointSteps } = one;
        const words = `${value} in ${hits.join(", ") || place} at step ${step} of ${run}, `;
        print(
          `  ${words}times ${times}, checkpoints each ${checkpointSteps ?? "epoch"}, wanted ` +
            `${outcome}: ${fault ?? "nothing was hit"}`,
        );
      }
    }
    const found = Object.entries(outcomes).map(([name, n]) => `${n} with ${name}`).join(", ");
    print(`${count} runs, ${tensors.size} tensors hit, wanted ${found}: ${faults} otherwise`);
    if (faults) throw new Error(`${faults} of ${count} runs did not come to what is promised`);
  } finally {
    gpu.destroy();
  }
}

if (import.meta.main) await wrongNumbers(Number(Deno.args[0] ?? 1), console.log);
