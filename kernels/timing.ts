import { type Action, encode, passesOf } from "./action.ts";
import type { Gpu } from "./gpu.ts";
import type { Program } from "./program.ts";
import { Stopwatch } from "./stopwatch.ts";

/** What a command of a program takes. */
export interface Timing {
  /** The kernel, or the kind of transfer. */
  readonly name: string;
  /** Mean over the repeats. */
  readonly milliseconds: number;
}

/** Runs parts one after the other in one submit; milliseconds of each by the clock of the device. */
async function clocked(gpu: Gpu, parts: readonly (readonly Action[])[]): Promise<number[]> {
  const passes = parts.map(passesOf);
  using stopwatch = new Stopwatch(gpu, passes.reduce((sum, count) => sum + count, 0));
  let begun = 0;
  gpu.submit((encoder) => {
    for (const part of parts) encode(encoder, part, () => stopwatch.pass(begun++));
    stopwatch.finish(encoder);
  });
  const laps = await stopwatch.read();
  let first = 0;
  return passes.map((count) => {
    const own = laps.slice(first, first += count);
    return own.length ? own[own.length - 1].end - own[0].begin : 0;
  });
}

/**
 * The least milliseconds of a replay of each program by the clock of the device; undefined where it
 * has none to read. All run in turn, `rounds` times over within one submit, after a round that does
 * not count: what else the device does meets all of them alike.
 */
export async function race(
  gpu: Gpu,
  programs: readonly Program[],
  rounds: number,
): Promise<number[] | undefined> {
  if (!Stopwatch.on(gpu)) return undefined;
  for (const program of programs) program.replay();
  const all = Array.from({ length: rounds }, () => programs.map(({ actions }) => actions));
  const times = await clocked(gpu, all.flat());
  return programs.map((_, i) => Math.min(...times.filter((_, k) => k % programs.length === i)));
}

/**
 * Times each kernel of a program, with the others around it, by the clock of the device. Where it has
 * none to read, times each command by itself, repeated within one submit; what a wait costs without
 * work is taken off.
 */
export async function profile(gpu: Gpu, program: Program, repeats: number): Promise<Timing[]> {
  if (!Stopwatch.on(gpu)) return await profileAlone(gpu, program, repeats);
  const { actions } = program;
  const sums = actions.map(() => 0);
  for (let i = 0; i < repeats; i++) {
    const times = await clocked(gpu, actions.map((action) => [action]));
    times.forEach((time, k) => sums[k] += time);
  }
  return actions.flatMap(({ kind, name }, k) =>
    kind === "dispatch" ? [{ name, milliseconds: sums[k] / repeats }] : []
  );
}

async function profileAlone(gpu: Gpu, { actions }: Program, repeats: number): Promise<Timing[]> {
  const time = async (actions: readonly Action[]): Promise<number> => {
    const start = performance.now();
    gpu.submit((encoder) => encode(encoder, actions));
    await gpu.idle();
    return performance.now() - start;
  };
  const wait = Math.min(await time([]), await time([]), await time([]));
  const timings: Timing[] = [];
  for (const action of actions) {
    const all = await time(Array<Action>(repeats).fill(action));
    timings.push({ name: action.name, milliseconds: Math.max(0, all - wait) / repeats });
  }
  return timings;
}
