import { helped } from "./helped.ts";
import { readArguments } from "../cli/arguments.ts";
import { quietDrivers } from "../cli/environment.ts";
import { useWebgpu } from "../cli/webgpu/use_webgpu.ts";
import { fail } from "../cli/failure.ts";
import { trainRequest } from "../cli/options.ts";
import { readInputs } from "../cli/run/open_run.ts";
import { openRunPictures } from "../cli/run/run_pictures.ts";
import { printable } from "../data/printable.ts";
import { Gpu } from "../kernels/gpu.ts";
import { type ByNetwork, entriesOf } from "../nn/which.ts";
import { UsageError } from "../train/errors.ts";
import { jobOn } from "../train/job.ts";
import { SILENT } from "../train/silent.ts";
import { runJob } from "../train/train.ts";
import type { TrainOptions } from "../train/types.ts";

/** Prints a line. */
export function print(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(text + "\n"));
}

/** Arguments of a bench: the values of its own flags by name, and what is left for `train`. */
export interface BenchFlags<Name extends string> {
  /** The values of a flag, as often as it was given. */
  readonly given: (name: Name) => readonly string[];
  readonly rest: readonly string[];
}

/**
 * Takes a bench's own flags, which all have a value, out of arguments: `--seeds 3`, `--seeds=3`.
 * Raises a `UsageError` where the value is missing.
 */
export function takeFlags<const Name extends string>(
  args: readonly string[],
  names: readonly Name[],
): BenchFlags<Name> {
  const own = new Map<Name, string[]>();
  const rest: string[] = [];
  const words = [...args];
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    const [flag, ...parts] = word.split("=");
    const name = names.find((name) => flag === `--${name}`);
    if (!name) {
      rest.push(word);
      continue;
    }
    const value = parts.length ? parts.join("=") : words.shift();
    if (value === undefined) throw new UsageError(`${flag} needs a value`);
    own.set(name, [...own.get(name) ?? [], value]);
  }
  return { given: (name) => own.get(name) ?? [], rest };
}

/** The whole number of a flag, or what it is by default. Raises a `UsageError` for anything else. */
export function wholeNumber<const Name extends string>(
  { given }: BenchFlags<Name>,
  name: Name,
  { least = 1, otherwise }: { readonly least?: number; readonly otherwise: number },
): number {
  const text = given(name).at(-1);
  if (text === undefined) return otherwise;
  if (/^\d+$/.test(text) && Number(text) >= least) return Number(text);
  throw new UsageError(
    `--${name} is a whole number, at least ${least}, found ${printable(text)}`,
  );
}

/** The seeds of `--seed`, the first one, and `--seeds`, how many: three from 0 on by default. */
export function seedsOf(flags: BenchFlags<"seed" | "seeds">): number[] {
  const first = wholeNumber(flags, "seed", { least: 0, otherwise: 0 });
  return Array.from({ length: wholeNumber(flags, "seeds", { otherwise: 3 }) }, (_, i) => first + i);
}

/** Options of a training, out of the words of `train`; of flags that are given twice the last counts. */
export function trainingOptions(words: readonly string[]): TrainOptions {
  return trainRequest(readArguments("train", words)).options;
}

/** What a training has come to. */
export interface Trained {
  readonly top1: Readonly<ByNetwork<number>>;
  /** Milliseconds of a step in the quickest epoch. */
  readonly stepMs: number;
  /** Of the whole training. */
  readonly seconds: number;
}

/** Trains what options say; tells nobody how it goes. */
export async function trained(gpu: Gpu, options: TrainOptions): Promise<Trained> {
  using pictures = await openRunPictures(options, () => {});
  const inputs = await readInputs(options, pictures.open);
  const speeds: number[] = [];
  const job = jobOn(inputs, options);
  const { summary } = await runJob(gpu, job, {
    ...SILENT,
    epoch: ({ imagesPerSecond }) => speeds.push(imagesPerSecond),
  });
  const images = options.batchSize * job.accumulation;
  return {
    top1: Object.fromEntries(entriesOf(summary).map(([which, { top1 }]) => [which, top1])),
    stepMs: 1000 * images / Math.max(...speeds),
    seconds: summary.seconds,
  };
}

/**
 * Does a bench with the arguments of this process on a GPU; says in one sentence why it cannot.
 * Where `--help` is among them, it prints `usage` instead.
 */
export async function benchTrials(
  usage: string,
  run: (gpu: Gpu, args: readonly string[]) => Promise<void>,
): Promise<void> {
  if (helped(usage)) return;
  try {
    quietDrivers();
    await useWebgpu();
    const gpu = await Gpu.open();
    try {
      print(`${gpu.adapter}\n${Deno.args.join(" ")}`);
      await run(gpu, Deno.args);
    } finally {
      gpu.destroy();
    }
  } catch (error) {
    fail(error, ["train"]);
  }
}
