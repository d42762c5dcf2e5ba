import { type Action, encode } from "./action.ts";
import type { Cost } from "./cost.ts";
import type { Device } from "../gpu/device.ts";
import type { Program } from "./program.ts";
import { type Lap, Stopwatch } from "../gpu/stopwatch.ts";
import { isCoarse } from "./timing.ts";

/** A kernel run of a program, or a transfer of memory, and what it takes. */
export interface Timing {
  /** Whether a kernel ran, or memory was copied or cleared. */
  readonly kind: Action["kind"];
  /** The name of the kernel; `copy`, `clear` or `texture copy` for a transfer. */
  readonly name: string;
  /** What it is a part of, such as a convolution of certain shapes. */
  readonly work?: string;
  /** The median over the repeats. */
  readonly milliseconds: number;
  /** What it computes and moves. */
  readonly cost: Cost;
}

/** Where the time of a program goes. */
export interface Profile {
  /**
   * The clock: the device's, between kernels that wait for one another, or the host's, around each
   * kernel by itself.
   */
  readonly clock: "device" | "host";
  /**
   * Milliseconds from the beginning of a replay to its end, by the same clock, what lies between its
   * runs included; what the measurement itself takes is taken off.
   */
  readonly milliseconds: number;
  /** What the replay runs, in order. */
  readonly runs: readonly Timing[];
}

/** The middle of some numbers, the lower of two. */
function middle(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[(values.length - 1) >> 1];
}

/** The middle of each of several equally long lists, place by place. */
function middles(lists: readonly (readonly number[])[]): number[] {
  return lists[0].map((_, i) => middle(lists.map((list) => list[i])));
}

function timingOf(action: Action, milliseconds: number): Timing {
  const { kind, name, cost } = action;
  const work = kind === "dispatch" && action.work !== undefined ? { work: action.work } : {};
  return { kind, name, ...work, milliseconds, cost };
}

/** Empty passes before a replay, which tell what passes themselves take. */
const EMPTY = 16;

/**
 * One replay, each kernel in a pass of its own: when it began and ended, {@link EMPTY} passes before
 * all, and an empty one behind.
 */
async function laps(gpu: Device, actions: readonly Action[]): Promise<Lap[]> {
  const passes = EMPTY + actions.filter(({ kind }) => kind === "dispatch").length + 1;
  using stopwatch = new Stopwatch(gpu, passes);
  let begun = 0;
  const begin = () => stopwatch.pass(begun++);
  gpu.submit((encoder) => {
    for (let i = 0; i < EMPTY; i++) encoder.beginComputePass(begin()).end();
    for (const action of actions) encode(encoder, [action], begin);
    encoder.beginComputePass(begin()).end();
    stopwatch.finish(encoder);
  });
  return await stopwatch.read();
}

/** What passes take, and what lies before each of them. */
interface Passes {
  readonly runs: readonly number[];
  readonly pauses: readonly number[];
}

/**
 * The kernels' passes of a replay, and what lies before each of them and behind the last; what an
 * empty pass and the pause before it take is taken off, as a replay has it not. What is left is no
 * less than nothing, though clocks may go backwards when a device changes its pace.
 */
async function passesOf(gpu: Device, actions: readonly Action[]): Promise<Passes> {
  const all = await laps(gpu, actions);
  const takes = all.map(({ begin, end }) => end - begin);
  const before = all.map(({ begin }, k) => k ? begin - all[k - 1].end : 0);
  const less = (times: readonly number[], empty: readonly number[]): number[] =>
    times.map((time) => Math.max(0, time - middle(empty)));
  return {
    runs: less(takes.slice(EMPTY, -1), takes.slice(0, EMPTY)),
    pauses: less(before.slice(EMPTY), before.slice(1, EMPTY)),
  };
}

/** Shares of `total` in the proportion of `weights`. */
function shares(total: number, weights: readonly number[]): number[] {
  const all = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => total * weight / all);
}

/**
 * A profile out of what each pass takes and what lies before it, one pass more than there are
 * kernels. What lies between two kernels is the transfers between them, if there are any.
 */
function profileOf(
  actions: readonly Action[],
  { runs, pauses }: Passes,
): Profile {
  const timings: Timing[] = [];
  let transfers: Action[] = [];
  let pass = 0;
  const settle = (): void => {
    const bytes = transfers.map(({ cost }) => cost.bytes);
    const times = shares(pauses[pass], bytes);
    transfers.forEach((transfer, i) => timings.push(timingOf(transfer, times[i])));
    transfers = [];
  };
  for (const action of actions) {
    if (action.kind === "transfer") {
      transfers.push(action);
      continue;
    }
    settle();
    timings.push(timingOf(action, runs[pass++]));
  }
  settle();
  const sum = (times: readonly number[]): number => times.reduce((all, time) => all + time, 0);
  return { clock: "device", milliseconds: sum(runs) + sum(pauses), runs: timings };
}

/** By the clock of the device; undefined where it is too coarse. */
async function byDevice(
  gpu: Device,
  actions: readonly Action[],
  repeats: number,
): Promise<Profile | undefined> {
  const found: Passes[] = [];
  for (let i = 0; i < repeats; i++) found.push(await passesOf(gpu, actions));
  if (isCoarse(found.flatMap(({ runs }) => runs))) return undefined;
  return profileOf(actions, {
    runs: middles(found.map(({ runs }) => runs)),
    pauses: middles(found.map(({ pauses }) => pauses)),
  });
}

/** By the clock of the host: each kernel and transfer by itself, repeated within one submit. */
async function byHost(
  gpu: Device,
  actions: readonly Action[],
  repeats: number,
): Promise<Profile> {
  const time = async (actions: readonly Action[]): Promise<number> => {
    const start = performance.now();
    gpu.submit((encoder) => encode(encoder, actions));
    await gpu.idle();
    return performance.now() - start;
  };
  const waits: number[] = [];
  const whole: number[] = [];
  for (let i = 0; i < 3; i++) {
    waits.push(await time([]));
    whole.push(await time(actions));
  }
  const wait = Math.min(...waits);
  const runs: Timing[] = [];
  for (const action of actions) {
    const all = await time(Array<Action>(repeats).fill(action));
    runs.push(timingOf(action, Math.max(0, all - wait) / repeats));
  }
  return { clock: "host", milliseconds: Math.max(0, middle(whole) - wait), runs };
}

/**
 * Times what a program runs, kernel by kernel: by the clock of the device, each kernel behind the
 * ones before it, as in a replay, but that none begins before the last has ended. Where the device
 * has no clock, or one too coarse, each is timed by itself by the host's, repeated within one submit;
 * what a wait costs without work is taken off. Raises a `RangeError` for repeats that are no whole
 * number from 1 on.
 */
export async function profile(gpu: Device, program: Program, repeats: number): Promise<Profile> {
  if (!Number.isInteger(repeats) || repeats < 1) {
    throw new RangeError(
      `Cannot profile ${program.name}: wanted the repeats to be a whole number from 1 on, found ` +
        `${repeats}`,
    );
  }
  const { actions } = program;
  const found = Stopwatch.on(gpu) ? await byDevice(gpu, actions, repeats) : undefined;
  return found ?? await byHost(gpu, actions, repeats);
}
