// A long run on a folder of pictures, with Workers, checkpoints and going on from them:
//   deno run -A tests/torture/soak.ts [MINUTES]
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { readArguments } from "../../cli/arguments.ts";
import { trainRequest } from "../../cli/options.ts";
import { DiskKeeper } from "../../cli/run/checkpoint_files.ts";
import { openJob } from "../../cli/run/open_run.ts";
import { openRunPictures } from "../../cli/run/run_pictures.ts";
import { Gpu } from "../../kernels/gpu.ts";
import { StoppedError } from "../../train/errors.ts";
import type { Course } from "../../train/resume/course.ts";
import type { KeptAs } from "../../train/resume/keeper.ts";
import type { TrainingState } from "../../train/resume/training_state.ts";
import { runJob } from "../../train/train.ts";
import type { Reporter } from "../../train/types.ts";
import { encode, waves } from "../made_pictures.ts";
import { makeFiles } from "../picture_folders.ts";

/** Minutes of the full soak. */
export const FULL = 60;

/** How large a soak is. */
interface Size {
  /** Times that the run is stopped and goes on, its pictures and Workers opened anew. */
  readonly rounds: number;
  /** Pictures of a class in each half. */
  readonly pictures: { readonly train: number; readonly val: number };
  /** Bytes that the process may not grow by. */
  readonly growth: number;
}

const SIZE: Size = { rounds: 12, pictures: { train: 128, val: 16 }, growth: 10e6 };

/** Of how many rounds the first and the last are compared, after as many to warm up. */
const PART = 1 / 4;

const FLAGS = [
  ...["--dataset", "folder", "--image-size", "24", "--model", "resnet8", "--stem", "cifar"],
  ...["--batch-size", "8", "--workers", "2", "--cache", "none", "--augment", "resized-crop"],
  ...["--epochs", "1000000", "--sched", "constant", "--lr", "0.0001"],
  ...["--checkpoint-steps", "16", "--model-ema-decay", "0.99", "--seed", "1"],
];

setFlagsFromString("--expose-gc");
const collect: () => void = runInNewContext("gc");

/** What a program holds. */
interface Held {
  readonly buffers: number;
  readonly bytes: number;
  readonly rss: number;
}

/** What was held at the ends of the epochs of a round. */
interface Round {
  readonly epochs: number;
  readonly checkpoints: number;
  /** The most buffers and bytes, and the median of the memory of the process. */
  readonly held: Held;
}

/** Keeps checkpoints in a folder, and counts them. */
class Counted extends DiskKeeper {
  saved = 0;

  override save(state: TrainingState, as?: KeptAs): Promise<void> {
    this.saved++;
    return super.save(state, as);
  }
}

async function writePictures(dir: string, pictures: Size["pictures"]): Promise<void> {
  for (const [half, count] of Object.entries(pictures)) {
    for (const [name, period] of [["fine", 5], ["coarse", 15]] as const) {
      for (let i = 0; i < count; i++) {
        const picture = waves(40 + i % 7, 48 - i % 5, 3, period + i % 4);
        const bytes = await encode(picture, i % 2 ? "png" : "jpeg");
        await makeFiles(dir, { [`${half}/${name}/${i}.${i % 2 ? "png" : "jpg"}`]: bytes });
      }
    }
  }
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
}

/** Trains for so many milliseconds, from the last checkpoint on. */
async function round(
  gpu: Gpu,
  { dir, keeper, milliseconds }: { dir: string; keeper: Counted; milliseconds: number },
): Promise<Round> {
  const found: Held[] = [];
  const end = performance.now() + milliseconds;
  const before = keeper.saved;
  const reporter: Reporter = {
    start: () => {},
    progress: () => {},
    work: () => {},
    epoch: () => {
      collect();
      found.push({ ...gpu.live(), rss: Deno.memoryUsage().rss });
    },
    note: () => {},
  };
  const { options } = trainRequest(readArguments("train", ["--data-dir", dir, ...FLAGS]));
  using pictures = await openRunPictures(options, reporter.note);
  const course: Course = {
    keeper,
    from: await keeper.last(),
    // At least one epoch, however slow.
    stopped: () => found.length > 0 && performance.now() > end,
  };
  try {
    await runJob(gpu, await openJob(options, pictures.open), reporter, { course });
  } catch (error) {
    if (!(error instanceof StoppedError)) throw error;
  }
  await keeper.settled();
  return {
    epochs: found.length,
    checkpoints: keeper.saved - before,
    held: {
      buffers: Math.max(...found.map(({ buffers }) => buffers)),
      bytes: Math.max(...found.map(({ bytes }) => bytes)),
      rss: median(found.map(({ rss }) => rss)),
    },
  };
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

/**
 * Trains for so many minutes, and raises an `Error` where what is held by the GPU differs from round
 * to round, or the process grows by 10 MB or more, unless another size is given.
 */
export async function soak(
  minutes: number,
  print: (line: string) => void,
  { rounds: count, pictures, growth }: Size = SIZE,
): Promise<void> {
  const dir = await Deno.makeTempDir();
  const gpu = await Gpu.open();
  try {
    await writePictures(dir, pictures);
    const empty = gpu.live();
    const keeper = new Counted({ folder: () => `${dir}/checkpoints`, keep: 2, note: print });
    const rounds: Round[] = [];
    for (let i = 0; i < count; i++) {
      const milliseconds = minutes * 60_000 / count;
      const done = await round(gpu, { dir, keeper, milliseconds });
      rounds.push(done);
      const { epochs, checkpoints, held: { buffers, bytes, rss } } = done;
      print(
        `round ${i + 1} of ${count}: ${epochs} epochs, ${checkpoints} checkpoints, ` +
          `${buffers} buffers of ${megabytes(bytes)}, process ${megabytes(rss)}`,
      );
      const left = gpu.live();
      if (left.buffers !== empty.buffers || left.bytes !== empty.bytes) {
        throw new Error(
          `${left.buffers} buffers are left of a run, ${empty.buffers} were before it`,
        );
      }
    }
    const [{ held: first }] = rounds;
    for (const { held } of rounds) {
      if (held.buffers !== first.buffers || held.bytes !== first.bytes) {
        throw new Error(`the GPU holds ${held.buffers} buffers of ${megabytes(held.bytes)}`);
      }
    }
    const of = (some: readonly Round[]): number => median(some.map(({ held }) => held.rss));
    const part = Math.ceil(count * PART);
    const grown = of(rounds.slice(-part)) - of(rounds.slice(part, 2 * part));
    print(`the process has grown by ${megabytes(grown)}`);
    if (grown >= growth) throw new Error(`the process has grown by ${megabytes(grown)}`);
  } finally {
    gpu.destroy();
    await Deno.remove(dir, { recursive: true });
  }
}

if (import.meta.main) await soak(Number(Deno.args[0] ?? FULL), console.log);
