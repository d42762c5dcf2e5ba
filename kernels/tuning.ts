import { type Work, workKey } from "./choices.ts";
import { type Gpu, GpuError } from "./gpu.ts";
import type { Program } from "./program.ts";
import { type Operand, operandShapes, recordWork } from "./record_work.ts";
import type { Scope } from "./scope.ts";
import type { Tensor } from "./tensor.ts";
import { filterTiles, productTiles } from "./tile_choice.ts";

/** What tuning has found for a work. */
export interface Tuned {
  /** The work in words. */
  readonly key: string;
  /** The fastest tile. */
  readonly tile: string;
  /** What the candidates take, by name, the best estimate first. */
  readonly milliseconds: Readonly<Record<string, number>>;
}

/** What {@link tune} takes. */
export interface TuneOptions {
  /** How many candidates are timed, those of the best estimates. Default: 4. */
  readonly candidates?: number;
  /** What one timing should take; the longer, the more exact. Default: 10. */
  readonly milliseconds?: number;
  /** Called after each work. */
  readonly report?: (tuned: Tuned) => void;
}

/** Runs of a work in one program: a GPU runs small kernels faster than it is sent submits. */
const COPIES = 8;

/** Tensors of zeros for a work. */
function dummies(scope: Scope, { geometry }: Work): Record<Operand, Tensor> {
  const { x, w, y } = operandShapes(geometry);
  return { x: scope.tensor("x", x), w: scope.tensor("w", w), y: scope.tensor("y", y) };
}

async function elapsed(gpu: Gpu, submit: () => void): Promise<number> {
  const start = performance.now();
  submit();
  await gpu.idle();
  return performance.now() - start;
}

/** Milliseconds of one replay. One that is slow enough to judge at once is not timed again. */
async function timeOf(
  gpu: Gpu,
  program: Program,
  { wait, goal, best }: { wait: number; goal: number; best: number },
): Promise<number> {
  const time = async (replays: number): Promise<number> => {
    const all = await elapsed(gpu, () => {
      for (let i = 0; i < replays; i++) program.replay();
    });
    return Math.max(0, all - wait) / replays;
  };
  await time(1);
  const once = await time(1);
  if (once > 2 * best + 1 || once > 4 * goal) return once;
  const replays = Math.min(100, Math.max(1, Math.ceil(goal / Math.max(once, 0.05))));
  return Math.min(await time(replays), await time(replays));
}

/** Times the candidates for one work and leaves the fastest chosen. */
async function tuneWork(
  gpu: Gpu,
  work: Work,
  { wait, candidates, goal }: { wait: number; candidates: number; goal: number },
): Promise<Tuned | undefined> {
  const tiles = work.direction === "weight gradient"
    ? filterTiles(gpu, work)
    : productTiles(gpu, work);
  const milliseconds: Record<string, number> = {};
  let tile: string | undefined;
  let refusal: unknown;
  using scope = gpu.scope();
  const operands = dummies(scope, work);
  try {
    for (const { name } of tiles.slice(0, candidates)) {
      gpu.choices.set(work, name);
      try {
        const program = await scope.trace(`tile ${name}`, (trace) => {
          for (let i = 0; i < COPIES; i++) recordWork(trace, work, operands);
        });
        const best = tile === undefined ? Infinity : milliseconds[tile] * COPIES;
        milliseconds[name] = await timeOf(gpu, program, { wait, goal, best }) / COPIES;
        program.destroy();
      } catch (error) {
        // A driver that refuses one tile may take another.
        if (!(error instanceof GpuError)) throw error;
        refusal = error;
        continue;
      }
      if (tile === undefined || milliseconds[name] < milliseconds[tile]) tile = name;
    }
  } finally {
    gpu.choices.delete(work);
  }
  if (tile === undefined) {
    if (refusal) throw refusal;
    return undefined;
  }
  gpu.choices.set(work, tile);
  return { key: workKey(work), tile, milliseconds };
}

/**
 * Chooses the fastest tile for each work by timing it on zeros, some tenths of a second each; by
 * default for the works that were traced without a choice. Programs traced afterwards use the
 * choices, those from before keep their tiles. The same choices always give the same bits; another
 * choice adds up in another order and may give other last bits.
 *
 * Does nothing where the preset has no tiles.
 */
export async function tune(
  gpu: Gpu,
  works: readonly Work[] = gpu.choices.open,
  { candidates = 4, milliseconds = 10, report }: TuneOptions = {},
): Promise<Tuned[]> {
  if (!gpu.preset.tiles) return [];
  await gpu.idle();
  const waits: number[] = [];
  for (let i = 0; i < 3; i++) waits.push(await elapsed(gpu, () => gpu.submit(() => {})));
  const found: Tuned[] = [];
  for (const work of works) {
    const wait = Math.min(...waits);
    const tuned = await tuneWork(gpu, work, { wait, candidates, goal: milliseconds });
    if (!tuned) continue;
    found.push(tuned);
    report?.(tuned);
  }
  return found;
}
