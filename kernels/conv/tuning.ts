import { tileChoices } from "./choices.ts";
import { type Work, workKey } from "./work.ts";
import { convolutionPresets } from "./convolution_preset.ts";
import type { Device } from "../gpu/device.ts";
import { DeviceLostError, GpuError } from "../gpu/gpu_error.ts";
import type { Program } from "../program/program.ts";
import { type Operand, operandShapes, recordWork } from "./record_work.ts";
import { Scope } from "../program/scope.ts";
import { elements, type Tensor } from "../gpu/tensor.ts";
import { tunablePlans } from "./tunable_plans.ts";
import { race } from "../program/timing.ts";

/** The result of tuning a work. */
export interface Tuned {
  /** The work in words. */
  readonly key: string;
  /**
   * The fastest plan: its tile, for weight gradients with the splits, behind "winograd" if it is.
   */
  readonly tile: string;
  /** The time of each candidate by name, the best estimate first. */
  readonly milliseconds: Readonly<Record<string, number>>;
}

/** Options of {@link tune}. */
export interface TuneOptions {
  /**
   * The number of tiles to time, those of the best estimates; the first two of a weight gradient
   * with several numbers of splits. Where Winograd's products may win, as many again. Default: 4.
   */
  readonly candidates?: number;
  /** The number of times that each is timed, in turn; the least time counts. Default: 3. */
  readonly rounds?: number;
  /** Called after each work. */
  readonly report?: (tuned: Tuned) => void;
}

/** Gigaflop of one timed program: enough to measure, and to hide the cost of a pass. */
const GFLOP = 4;

/** Bytes of programs from which on those made so far are timed, to make room for the next. */
const ROUND_BYTES = 2 ** 28;

/** The runs of a work in one timed program. */
function copiesOf({ geometry: g }: Work): number {
  const { y } = operandShapes(g);
  const gflop = 2 * elements(y) * g.kernelHeight * g.kernelWidth * g.keepIn / 1e9;
  return Math.min(16, Math.max(1, Math.round(GFLOP / gflop)));
}

/** Tensors of zeros for a work; images are kept as its precision says. */
function dummies(scope: Scope, { geometry, precision }: Work): Record<Operand, Tensor> {
  const { x, w, y } = operandShapes(geometry);
  const type = precision === "mixed" ? "f16" : "f32";
  const images = (name: string, shape: readonly number[]): Tensor =>
    scope.tensor(name, shape, undefined, type);
  return { x: images("x", x), w: scope.tensor("w", w), y: images("y", y) };
}

/**
 * Replays between two waits where there is no clock: a GPU takes as long for them as a wait does.
 */
const REPLAYS = 32;

/** As {@link race}, for a device without timestamps: each time has its share of a wait. */
async function raceByHostClock(
  gpu: Device,
  programs: readonly Program[],
  rounds: number,
): Promise<number[]> {
  const best = programs.map(() => Infinity);
  for (let round = 0; round < rounds; round++) {
    for (const [i, program] of programs.entries()) {
      program.replay();
      await gpu.idle();
      const start = performance.now();
      for (let k = 0; k < REPLAYS; k++) program.replay();
      await gpu.idle();
      best[i] = Math.min(best[i], (performance.now() - start) / REPLAYS);
    }
  }
  return best;
}

/** Times the candidates for one work and leaves the fastest chosen. */
async function tuneWork(
  gpu: Device,
  work: Work,
  { candidates, rounds }: { candidates: number; rounds: number },
): Promise<Tuned | undefined> {
  const entrants = tunablePlans(gpu, work, candidates);
  if (entrants.length === 0) return undefined;
  using scope = new Scope(gpu);
  const choices = tileChoices.of(gpu);
  const operands = dummies(scope, work);
  const copies = copiesOf(work);
  const milliseconds: Record<string, number> = {};
  const waiting = new Map<string, Program>();
  let refusal: unknown;
  // A driver that refuses one tile may take another.
  const tolerant = async (run: () => Promise<void>): Promise<void> => {
    try {
      await run();
    } catch (error) {
      if (!(error instanceof GpuError) || error instanceof DeviceLostError) throw error;
      refusal = error;
    }
  };
  const timed = async (programs: readonly (readonly [string, Program])[]): Promise<void> => {
    const racing = programs.map(([, program]) => program);
    const times = await race(gpu, racing, rounds) ?? await raceByHostClock(gpu, racing, rounds);
    programs.forEach(([name], i) => milliseconds[name] = times[i] / copies);
  };
  const timeWaiting = async (): Promise<void> => {
    const programs = [...waiting];
    waiting.clear();
    try {
      await timed(programs);
    } catch (error) {
      if (!(error instanceof GpuError) || error instanceof DeviceLostError) throw error;
      for (const program of programs) await tolerant(() => timed([program]));
    }
    for (const [, program] of programs) program.destroy();
  };
  try {
    for (const { name } of entrants) {
      choices.set(work, name);
      await tolerant(async () => {
        const program = await scope.trace(`tile ${name}`, (trace) => {
          for (let i = 0; i < copies; i++) recordWork(trace, work, operands);
        }, { precision: work.precision });
        waiting.set(name, program);
      });
      const bytes = [...waiting.values()].reduce((sum, program) => sum + program.bytes, 0);
      if (bytes > ROUND_BYTES) await timeWaiting();
    }
    if (waiting.size) await timeWaiting();
  } finally {
    choices.delete(work);
  }
  const names = Object.keys(milliseconds);
  if (names.length === 0) throw refusal;
  const tile = names.reduce((best, name) => milliseconds[name] < milliseconds[best] ? name : best);
  choices.set(work, tile);
  return { key: workKey(work), tile, milliseconds };
}

/**
 * Chooses the fastest tile for each work by timing it on zeros, some hundredths of a second each;
 * by default for the works that were traced without a choice. Programs traced afterwards use the
 * choices, those from before keep their tiles. The same choices always give the same bits; another
 * choice adds up in another order and may give other last bits.
 *
 * Does nothing where the preset has no tiles.
 */
export async function tune(
  gpu: Device,
  works: readonly Work[] = tileChoices.of(gpu).open,
  { candidates = 4, rounds = 3, report }: TuneOptions = {},
): Promise<Tuned[]> {
  if (!convolutionPresets.of(gpu).tiles) return [];
  const found: Tuned[] = [];
  for (const work of works) {
    const tuned = await tuneWork(gpu, work, { candidates, rounds });
    if (!tuned) continue;
    found.push(tuned);
    report?.(tuned);
  }
  return found;
}
