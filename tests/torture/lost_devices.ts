// Devices that are lost at random steps of small runs, which have to come to the same networks as runs
// on a device that lasts: `deno task torture --only lost-devices`.
import { readArguments } from "../../cli/arguments.ts";
import { searchRequest, trainRequest } from "../../cli/options.ts";
import { generatedSplit } from "../../data/generated.ts";
import { Random } from "../../data/random.ts";
import { type Checkpoint, parseCheckpoint } from "../../export/checkpoint.ts";
import { Gpu } from "../../kernels/gpu.ts";
import { jobOn } from "../../train/job.ts";
import { MemoryKeeper } from "../../train/resume/keeper.ts";
import { search, searchOn } from "../../train/search.ts";
import { train, type TrainResult } from "../../train/train.ts";
import type { Reporter } from "../../train/types.ts";

const SPLIT = generatedSplit({ train: 24, validation: 8, size: 12, seed: 7 });

const SIZES = [
  ...["--epochs", "2", "--batch-size", "8", "--model", "resnet8", "--stem", "authors"],
];

/** Flags of the runs, by what they try. */
export const LOSING: Readonly<Record<string, readonly string[]>> = {
  "adjoined": [],
  "adjoined, each step kept": ["--checkpoint-steps", "1", "--model-ema-decay", "0.9"],
  "adjoined, in parts": ["--grad-accum-steps", "2", "--mixup", "0.4", "--select", "best"],
  "plain": ["--mode", "plain", "--opt", "sgd"],
  "distill": ["--mode", "distill", "--teacher", "teacher"],
  "search": ["--budget-macs", "0.7", "--search-epochs", "2", "--checkpoint-steps", "2"],
};

/** A run to its end, and what was told of it. */
export interface LosingRun {
  /** Files of networks, and the tensors of the last state, by name. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** Submits of all devices together. */
  readonly submits: number;
  /** Devices that were opened. */
  readonly devices: number;
  readonly notes: readonly string[];
  /** Epochs that count, by number. */
  readonly epochs: readonly number[];
}

/** A teacher for the distillations. */
async function teacherOf(): Promise<Checkpoint> {
  const { files } = await trained("plain", await jobFor("plain"), []);
  const bytes = files.get("base.safetensors");
  if (!bytes) throw new TypeError("Cannot distill: the plain run saved no base network");
  return parseCheckpoint(bytes, "base.safetensors");
}

let teacher: Promise<Checkpoint> | undefined;

async function jobFor(run: string) {
  const { options } = trainRequest(readArguments("train", [...SIZES, ...LOSING[run]]));
  const own = options.mode === "distill" ? await (teacher ??= teacherOf()) : undefined;
  return jobOn({ split: SPLIT, teacher: own }, options);
}

/** Does a run whose devices are lost at these numbers of submits, counted on through all devices. */
export async function losingRun(run: string, lostAt: readonly number[]): Promise<LosingRun> {
  return await trained(run, run === "search" ? undefined : await jobFor(run), lostAt);
}

async function trained(
  run: string,
  job: Awaited<ReturnType<typeof jobFor>> | undefined,
  lostAt: readonly number[],
): Promise<LosingRun> {
  const notes: string[] = [];
  let epochs: number[] = [];
  let [submits, devices] = [0, 0];
  const queues: GPUQueue[] = [];
  const open = async (): Promise<Gpu> => {
    const gpu = await Gpu.open();
    devices++;
    const { queue } = gpu.device;
    queues.push(queue);
    const submit = queue.submit.bind(queue);
    queue.submit = (commands) => {
      if (lostAt.includes(++submits)) gpu.device.destroy();
      return submit(commands);
    };
    return gpu;
  };
  const reporter: Reporter = {
    start: () => {},
    progress: () => {},
    work: () => {},
    epoch: ({ epoch }) => void epochs.push(epoch),
    history: (rows) => void (epochs = rows.map(({ epoch }) => epoch)),
    note: (text) => void notes.push(text),
  };
  const keeper = new MemoryKeeper();
  const result = job
    ? await train(job, reporter, { keeper }, { open })
    : await searched(run, { reporter, keeper, open });
  // A queue that refers to its device is never freed.
  for (const queue of queues) Reflect.deleteProperty(queue, "submit");
  const files = new Map(result.files);
  for (const [name, { buffer, byteOffset, byteLength }] of (await keeper.last())?.tensors ?? []) {
    files.set(name, new Uint8Array(buffer, byteOffset, byteLength));
  }
  return { files, submits, devices, notes, epochs };
}

async function searched(
  run: string,
  { reporter, keeper, open }: {
    reporter: Reporter;
    keeper: MemoryKeeper;
    open: () => Promise<Gpu>;
  },
): Promise<TrainResult> {
  const { options, find } = searchRequest(readArguments("search", [...SIZES, ...LOSING[run]]));
  const { trained } = await search(searchOn({ split: SPLIT }, options, find), {
    ...{ options, train: true, fromScratch: false, course: { keeper }, open },
    found: () => Promise.resolve(),
  }, reporter);
  if (!trained) throw new TypeError("Cannot compare: the search trained nothing");
  return trained;
}

/** What is wrong with a run whose devices were lost; nothing where it came to the same. */
export function faultOf(run: LosingRun, straight: LosingRun, losses: number): string | undefined {
  if (run.devices !== losses + 1) return `${run.devices} devices for ${losses} losses`;
  const told = run.notes.filter((note) => note.startsWith("the GPU was lost")).length;
  if (told !== losses) return `${told} notes of ${losses} losses`;
  if (String(run.epochs) !== String(straight.epochs)) return `epochs ${run.epochs}`;
  if (run.files.size !== straight.files.size) return `${run.files.size} tensors and files`;
  for (const [name, bytes] of straight.files) {
    const found = run.files.get(name);
    if (found?.length !== bytes.length) return `${name} has ${found?.length ?? "no"} bytes`;
    if (found.some((byte, i) => byte !== bytes[i])) return `${name} has other bytes`;
  }
}

/** Loses devices at random steps of `count` runs; gives how many did not come to the same networks. */
export async function lostDevices(count: number, print: (line: string) => void): Promise<number> {
  const random = new Random(20, "lost devices");
  const straight = new Map<string, LosingRun>();
  const names = Object.keys(LOSING);
  let faults = 0;
  for (let i = 0; i < count; i++) {
    const name = names[i % names.length];
    const whole = straight.get(name) ?? await losingRun(name, []);
    straight.set(name, whole);
    const lostAt = Math.floor(random.uniform() * whole.submits) + 1;
    let fault: string | undefined;
    try {
      fault = faultOf(await losingRun(name, [lostAt]), whole, 1);
    } catch (error) {
      fault = String(error);
    }
    if (fault) faults++;
    const outcome = fault ?? "the same networks";
    print(`${i + 1}/${count} ${name}, lost at submit ${lostAt} of ${whole.submits}: ${outcome}`);
  }
  return faults;
}
