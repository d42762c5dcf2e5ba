import { type Action, encode, passesOf } from "./action.ts";
import type { Device } from "../gpu/device.ts";
import type { Program } from "./program.ts";
import { Stopwatch } from "../gpu/stopwatch.ts";

/** The time of a kernel of a program. */
export interface Timing {
  /** The name of the kernel. */
  readonly name: string;
  /** The mean over the repeats. */
  readonly milliseconds: number;
}

/**
 * Runs submits of parts, one after the other; milliseconds of each part by the clock of the device.
 */
async function clocked(
  gpu: Device,
  submits: readonly (readonly (readonly Action[])[])[],
): Promise<number[]> {
  const passes = submits.flat().map(passesOf);
  using stopwatch = new Stopwatch(gpu, passes.reduce((sum, count) => sum + count, 0));
  let begun = 0;
  submits.forEach((parts, i) =>
    gpu.submit((encoder) => {
      for (const part of parts) encode(encoder, part, () => stopwatch.pass(begun++));
      if (i === submits.length - 1) stopwatch.finish(encoder);
    })
  );
  const laps = await stopwatch.read();
  let first = 0;
  return passes.map((count) => {
    const own = laps.slice(first, first += count);
    return own.length ? own[own.length - 1].end - own[0].begin : 0;
  });
}

/**
 * The resolution of timestamps in browsers, in milliseconds: coarse, so that pages cannot measure
 * finely.
 */
const COARSE = 0.1;

/** Whether times are too few ticks of a coarse clock to tell them apart. */
function tooCoarse(times: readonly number[]): boolean {
  const rounded = times.every((time) => Math.abs(time / COARSE - Math.round(time / COARSE)) < 1e-6);
  return rounded && Math.min(...times) < 20 * COARSE;
}

/**
 * The least milliseconds of a replay of each program by the clock of the device; undefined where it
 * has none, or one too coarse for them. They run in turn, a round to a submit, after one that does
 * not count: what else the device does meets all of them alike.
 */
export async function race(
  gpu: Device,
  programs: readonly Program[],
  rounds: number,
): Promise<number[] | undefined> {
  if (!Stopwatch.on(gpu)) return undefined;
  for (const program of programs) program.replay();
  const round = programs.map(({ actions }) => actions);
  const times = await clocked(gpu, Array.from({ length: rounds }, () => round));
  // Clocks may go backwards when a device changes its pace.
  const best = programs.map((_, i) =>
    Math.min(...times.filter((time, k) => k % programs.length === i && time > 0))
  );
  return best.every(Number.isFinite) && !tooCoarse(best) ? best : undefined;
}

/**
 * Times each kernel of a program, with the others around it, by the clock of the device. Where it
 * has none to read, times each by itself, repeated within one submit; what a wait costs without
 * work is taken off.
 */
export async function profile(gpu: Device, program: Program, repeats: number): Promise<Timing[]> {
  if (!Number.isInteger(repeats) || repeats < 1) {
    throw new RangeError(
      `Cannot profile ${program.name}: wanted the repeats to be a whole number from 1 on, found ` +
        `${repeats}`,
    );
  }
  if (!Stopwatch.on(gpu)) return await profileAlone(gpu, program, repeats);
  const { actions } = program;
  const sums = actions.map(() => 0);
  for (let i = 0; i < repeats; i++) {
    const times = await clocked(gpu, [actions.map((action) => [action])]);
    times.forEach((time, k) => sums[k] += time);
  }
  return actions.flatMap((action, k) =>
    action.kind === "dispatch" ? [{ name: action.name, milliseconds: sums[k] / repeats }] : []
  );
}

async function profileAlone(gpu: Device, { actions }: Program, repeats: number): Promise<Timing[]> {
  const time = async (actions: readonly Action[]): Promise<number> => {
    const start = performance.now();
    gpu.submit((encoder) => encode(encoder, actions));
    await gpu.idle();
    return performance.now() - start;
  };
  const wait = Math.min(await time([]), await time([]), await time([]));
  const timings: Timing[] = [];
  for (const action of actions.filter((action) => action.kind === "dispatch")) {
    const all = await time(Array<Action>(repeats).fill(action));
    timings.push({ name: action.name, milliseconds: Math.max(0, all - wait) / repeats });
  }
  return timings;
}
