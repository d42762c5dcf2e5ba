import { type Action, encode } from "./action.ts";
import type { Cost } from "./cost.ts";
import type { Device } from "../gpu/device.ts";
import type { Program } from "./program.ts";
import { type Lap, Stopwatch } from "../gpu/stopwatch.ts";
import { type PassTime, passTimes } from "./pass_times.ts";
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
  /** Milliseconds of a replay in which no kernel is timed, measured in turn with the others. */
  readonly untimed: number;
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
 * One replay: when passes began and ended, first {@link EMPTY} empty ones, then that of each action.
 * A kernel has a pass of its own, a transfer an empty one behind it.
 */
async function laps(gpu: Device, actions: readonly Action[]): Promise<Lap[]> {
  using stopwatch = new Stopwatch(gpu, EMPTY + actions.length);
  let begun = 0;
  const begin = () => stopwatch.pass(begun++);
  gpu.submit((encoder) => {
    const nothing = (): void => encoder.beginComputePass(begin()).end();
    for (let i = 0; i < EMPTY; i++) nothing();
    for (const action of actions) {
      encode(encoder, [action], begin);
      if (action.kind === "transfer") nothing();
    }
    stopwatch.finish(encoder);
  });
  return await stopwatch.read();
}

/**
 * What each action of a replay takes. What an empty pass and the pause before it take is taken off,
 * as a replay has it not.
 */
async function measured(gpu: Device, actions: readonly Action[]): Promise<PassTime[]> {
  const times = passTimes(await laps(gpu, actions));
  const empty = times.slice(1, EMPTY);
  const own = middle(empty.map((time) => time.own));
  const pause = middle(empty.map((time) => time.pause));
  const more = (time: number, than: number): number => Math.max(0, time - than);
  return times.slice(EMPTY).map((time, i) =>
    actions[i].kind === "dispatch"
      ? { own: more(time.own, own), pause: more(time.pause, pause) }
      // The pass behind a transfer begins when it is done.
      : { own: more(time.own + time.pause, own + pause), pause: 0 }
  );
}

/** One replay as it always is, from the end of an empty pass to that of another. */
async function untimed(gpu: Device, actions: readonly Action[]): Promise<number> {
  using stopwatch = new Stopwatch(gpu, 2);
  gpu.submit((encoder) => {
    encoder.beginComputePass(stopwatch.pass(0)).end();
    encode(encoder, actions);
    encoder.beginComputePass(stopwatch.pass(1)).end();
    stopwatch.finish(encoder);
  });
  const [before, after] = await stopwatch.read();
  return after.end - before.end;
}

/** By the clock of the device; undefined where it is too coarse. */
async function byDevice(
  gpu: Device,
  actions: readonly Action[],
  repeats: number,
): Promise<Profile | undefined> {
  const found: PassTime[][] = [];
  const whole: number[] = [];
  for (let i = 0; i < repeats; i++) {
    found.push(await measured(gpu, actions));
    whole.push(await untimed(gpu, actions));
  }
  if (isCoarse(found.flat().map(({ own }) => own))) return undefined;
  const own = middles(found.map((times) => times.map((time) => time.own)));
  const pauses = middles(found.map((times) => times.map(({ pause }) => pause)));
  return {
    clock: "device",
    milliseconds: [...own, ...pauses].reduce((sum, time) => sum + time, 0),
    untimed: middle(whole),
    runs: actions.map((action, i) => timingOf(action, own[i])),
  };
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
  const milliseconds = Math.max(0, middle(whole) - wait);
  return { clock: "host", milliseconds, untimed: milliseconds, runs };
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
