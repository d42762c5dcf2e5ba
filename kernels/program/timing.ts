import { type Action, encode, passesOf } from "./action.ts";
import { passTimes } from "./pass_times.ts";
import type { Device } from "../gpu/device.ts";
import type { Program } from "./program.ts";
import { Stopwatch } from "../gpu/stopwatch.ts";

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
  const times = passTimes(await stopwatch.read());
  let first = 0;
  return passes.map((count) => {
    const part = times.slice(first, first += count);
    return part.reduce((sum, { own, pause }, i) => sum + own + (i ? pause : 0), 0);
  });
}

/**
 * The resolution of timestamps in browsers, in milliseconds: coarse, so that pages cannot measure
 * finely.
 */
const COARSE = 0.1;

/** Whether times are whole ticks of a coarse clock. */
export function isCoarse(times: readonly number[]): boolean {
  return times.every((time) => Math.abs(time / COARSE - Math.round(time / COARSE)) < 1e-6);
}

/** Whether times are too few ticks of a coarse clock to tell them apart. */
function tooCoarse(times: readonly number[]): boolean {
  return isCoarse(times) && Math.min(...times) < 20 * COARSE;
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
