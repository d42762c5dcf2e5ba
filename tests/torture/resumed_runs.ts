// Runs that are stopped at random instants and go on: all of their state is that of a straight run.
import { readArguments } from "../../cli/arguments.ts";
import { compareRequest, searchRequest, trainRequest } from "../../cli/options.ts";
import { openSearch, readInputs } from "../../cli/run/open_run.ts";
import { openRunPictures } from "../../cli/run/run_pictures.ts";
import { Random } from "../../data/random.ts";
import { compare } from "../../train/compare/compare.ts";
import type { EarlierRuns, EndedRun, Outcome } from "../../train/compare/comparison.ts";
import { StoppedError } from "../../train/errors.ts";
import { jobOn } from "../../train/job.ts";
import type { Course } from "../../train/resume/course.ts";
import { type KeptAs, MemoryKeeper } from "../../train/resume/keeper.ts";
import {
  encodeTrainingState,
  parseTrainingState,
  type TrainingState,
} from "../../train/resume/training_state.ts";
import { search } from "../../train/search.ts";
import { train } from "../../train/train.ts";
import type { TrainOptions } from "../../train/types.ts";
import { withFolder } from "../folder.ts";
import { onePicture } from "../picture_folders.ts";
import { joined } from "../../data/safetensors.ts";
import { digestOfState, sha256 } from "./state_digest.ts";
import { SILENT } from "../../train/silent.ts";

/** What a run has come to, by name: digests, or short text. */
type Results = ReadonlyMap<string, string>;

/** A run that can be begun, and gone on with. */
interface StoppedKind {
  readonly name: string;
  /** Begins the run, or goes on with it; what has ended of it is kept in `memory`. */
  readonly run: (course: Course, memory: Memory) => Promise<Results>;
}

/** What a run keeps outside its states: the files that a command line has in its folder. */
interface Memory {
  readonly runs: Map<string, EndedRun>;
  outcomes: readonly Outcome[];
}

const SHORT = [
  ...["--epochs", "3", "--train-size", "24", "--val-size", "8", "--batch-size", "8"],
  ...["--image-size", "12", "--seed", "3"],
];

/** A run of two epochs of four steps of accumulated batches, with all else that is state. */
const EVERYTHING = [
  ...["--model-ema-decay", "0.9", "--grad-accum-steps", "2", "--clip-grad", "0.5"],
  ...["--mixup", "0.4", "--checkpoint-steps", "2"],
];

function digests(files: ReadonlyMap<string, Uint8Array>): [string, string][] {
  return [...files].map(([name, bytes]) => [name, sha256([bytes])]);
}

async function withInputs<T>(
  options: TrainOptions,
  use: (inputs: Awaited<ReturnType<typeof readInputs>>) => Promise<T>,
): Promise<T> {
  using pictures = await openRunPictures(options, () => {});
  return await use(await readInputs(options, pictures.open));
}

/** A run of `train`. */
export function trained(name: string, flags: readonly string[]): StoppedKind {
  const { options } = trainRequest(readArguments("train", [...SHORT, ...flags]));
  return {
    name,
    run: (course) =>
      withInputs(options, async (inputs) => {
        const { files } = await train(jobOn(inputs, options), SILENT, course);
        return new Map(digests(files));
      }),
  };
}

/** A run of `search`, with the training after it. */
export function searched(name: string, flags: readonly string[]): StoppedKind {
  const { options, find, fromScratch } = searchRequest(
    readArguments("search", [
      ...[...SHORT, "--budget-macs", "0.8", "--mask-from", "1", "--search-epochs", "2"],
      ...flags,
    ]),
  );
  return {
    name,
    run: async (course) => {
      const opened = await openSearch(options, find);
      const { trained } = await search(opened, {
        ...{ options, fromScratch, course },
        train: true,
        found: () => Promise.resolve(),
      }, SILENT);
      return new Map(digests(trained?.files ?? new Map()));
    },
  };
}

/** A run of `compare`. */
export function compared(name: string, flags: readonly string[]): StoppedKind {
  const { options, find, seeds, methods, pruneBy } = compareRequest(
    readArguments("compare", [
      ...[...SHORT, "--budget-macs", "0.8", "--mask-from", "1", "--search-epochs", "2"],
      ...["--seeds", "1", "--epochs", "2", ...flags],
    ]),
  );
  return {
    name,
    run: async (course, memory) => {
      const earlier: EarlierRuns = {
        outcomes: memory.outcomes,
        seconds: 0,
        read: (folder) => Promise.resolve(memory.runs.get(folder)),
      };
      const widths: [string, string][] = [];
      const comparison = await compare(options, {
        ...{ find, seeds, methods, pruneBy, course, earlier, reporter: SILENT },
        read: (ofSeed) => readInputs(ofSeed),
        trained: ({ folder, result, widths: found }) => {
          if (memory.runs.has(folder) && course.from?.phase !== folder) {
            throw new Error(`${folder} was trained again`);
          }
          memory.runs.set(folder, result);
          if (found) widths.push([`${folder}/widths`, JSON.stringify(found)]);
          return Promise.resolve();
        },
        saved: ({ outcomes }) => {
          memory.outcomes = [...outcomes];
          return Promise.resolve();
        },
      });
      const timeless = { ...comparison, seconds: 0 };
      const outcomes = comparison.outcomes.map((outcome) => ({ ...outcome, latency: 0 }));
      return new Map([
        ["compare.json", JSON.stringify({ ...timeless, outcomes })],
        ...widths,
        ...[...memory.runs].flatMap(([folder, { files }]) =>
          digests(files).map(([file, digest]) => [`${folder}/${file}`, digest] as const)
        ),
      ]);
    },
  };
}

/** A state as it comes out of a file. */
async function outOfFile(state?: TrainingState): Promise<TrainingState> {
  if (!state) throw new Error("A stopped run has kept no state");
  const bytes = await new Blob([joined(encodeTrainingState(state))]).arrayBuffer();
  return parseTrainingState(new Uint8Array(bytes), "last.safetensors");
}

/** What a run comes to, its last state included, and how often it was asked whether to stop. */
async function straight({ run }: StoppedKind): Promise<{ results: Results; asked: number }> {
  const keeper = new MemoryKeeper();
  let asked = 0;
  const stopped = (): boolean => {
    asked++;
    return false;
  };
  const results = await run({ keeper, stopped }, { runs: new Map(), outcomes: [] });
  const state = await outOfFile(await keeper.last());
  return { results: new Map([...results, ["state", digestOfState(state)]]), asked };
}

/** Does a run with stops at random, at most so many; gives where it stopped. */
async function inPieces(
  { run }: StoppedKind,
  { stops, most, random }: { stops: number; most: number; random: Random },
): Promise<{ results: Results; places: string[] }> {
  const memory: Memory = { runs: new Map(), outcomes: [] };
  const places: string[] = [];
  // The best states are kept on, as they are on a disk.
  const keeper = new GoingOn();
  let from: TrainingState | undefined;
  for (;;) {
    const after = 1 + random.integer(most);
    let asked = 0;
    const stopped = (): boolean => places.length < stops && ++asked > after;
    try {
      const results = await run({ keeper, from, stopped }, memory);
      const state = await outOfFile(await keeper.last());
      return { results: new Map([...results, ["state", digestOfState(state)]]), places };
    } catch (error) {
      if (!(error instanceof StoppedError)) throw error;
      from = await outOfFile(await keeper.last());
      const { phase, position: { epoch, step } } = from;
      places.push(`${phase} ${epoch}.${step}`);
      keeper.from = from;
    }
  }
}

/** Keeps states, and raises an error where a run that goes on begins once more. */
class GoingOn extends MemoryKeeper {
  /** Where the run goes on from. */
  from?: TrainingState;

  override save(state: TrainingState, as?: KeptAs): Promise<void> {
    const { from } = this;
    const place = ({ position: { epoch, step } }: TrainingState): number => 1e6 * epoch + step;
    if (from?.phase === state.phase && place(state) < place(from)) {
      throw new Error(`${state.phase} has begun again`);
    }
    return super.save(state, as);
  }
}

/** The first name whose results differ. */
function difference(a: Results, b: Results): string | undefined {
  return [...new Set([...a.keys(), ...b.keys()])].find((name) => a.get(name) !== b.get(name));
}

/**
 * Does a run straight, and with so many stops at random instants, several in each attempt. Raises an
 * error where what they come to is not equal: files of networks, and all of the last state.
 */
export async function demandEqual(
  kind: StoppedKind,
  { stops, seed = 0, print }: { stops: number; seed?: number; print: (line: string) => void },
): Promise<void> {
  const random = new Random(seed, `stops of ${kind.name}`);
  const { results, asked } = await straight(kind);
  for (let left = stops, attempts = 0; left > 0; attempts++) {
    if (attempts > 3 * stops) throw new Error(`${kind.name} could not be stopped`);
    // Several stops in each.
    const most = Math.max(1, Math.ceil(asked / 3));
    const found = await inPieces(kind, { stops: left, most, random });
    left -= found.places.length;
    const wrong = difference(results, found.results);
    if (wrong !== undefined) {
      throw new Error(
        `${kind.name}: ${wrong} is not equal after stops at ${found.places.join(", ")}: wanted ` +
          `${results.get(wrong)?.slice(0, 200)}, found ${found.results.get(wrong)?.slice(0, 200)}`,
      );
    }
    if (found.places.length) print(`${kind.name}: equal after stops at ${found.places.join(", ")}`);
  }
}

/** Makes a folder of small pictures of two classes, each with colours of its own. */
async function makePhotos(dir: string): Promise<void> {
  for (const [half, count] of [["train", 12], ["val", 4]] as const) {
    for (const name of ["a", "b"]) {
      await Deno.mkdir(`${dir}/${half}/${name}`, { recursive: true });
      for (let i = 0; i < count; i++) {
        await Deno.writeFile(
          `${dir}/${half}/${name}/${i}.png`,
          await onePicture({ colour: [(40 * i) % 256, 90 * (i % 3), 9 * i] }),
        );
      }
    }
  }
}

/** Trains a base network for a distillation; gives the file that it is in. */
async function makeTeacher(dir: string): Promise<string> {
  const flags = [...SHORT, "--mode", "plain", "--epochs", "1"];
  const { options } = trainRequest(readArguments("train", flags));
  const { files } = await withInputs(options, (inputs) => train(jobOn(inputs, options), SILENT));
  const file = `${dir}/base.safetensors`;
  for (const [, bytes] of files) await Deno.writeFile(file, bytes);
  return file;
}

/** Runs of every mode, and one with all that is state besides; their files are in a folder. */
export async function stoppedKinds(dir: string): Promise<StoppedKind[]> {
  const teacher = await makeTeacher(dir);
  await makePhotos(`${dir}/photos`);
  const pictures = [
    "--dataset",
    "folder",
    "--data-dir",
    `${dir}/photos`,
    "--train-size",
    "24",
    "--workers",
    "3",
  ];
  return [
    trained("adjoined", []),
    trained("plain", ["--mode", "plain", "--opt", "sgd"]),
    trained("distill", ["--mode", "distill", "--teacher", teacher]),
    searched("search", []),
    searched("search, everything", EVERYTHING),
    trained("adjoined, everything", EVERYTHING),
    trained("several small networks, everything", [
      ...EVERYTHING,
      ...["--compression", "2,4,8", "--sandwich", "2"],
    ]),
    trained("adjoined, everything, pictures", [...EVERYTHING, ...pictures]),
    trained("adjoined, best epoch", ["--select", "best", "--patience", "2", "--epochs", "5"]),
  ];
}

/**
 * Does runs of every mode with so many random stops each, and a comparison. Raises an error where
 * anything differs from a straight run.
 */
export async function resumedRuns(stops: number, print: (line: string) => void): Promise<void> {
  await withFolder(async (dir) => {
    for (const kind of await stoppedKinds(dir)) await demandEqual(kind, { stops, print });
    await demandEqual(compared("compare", EVERYTHING), { stops, print });
  });
}
