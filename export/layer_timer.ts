import {
  layersKey,
  type LayerTable,
  nothing,
  type TimedLayers,
} from "../nn/compress/layer_works.ts";
import { count } from "../nn/count.ts";
import { channelsOf } from "../nn/network.ts";
import { layerModel, SHAPE } from "./layer_model.ts";
import { INPUT } from "./onnx_graph.ts";
import { loadRuntime, openSession } from "./onnx_runtime.ts";
import type { InferenceSession, OnnxRuntime } from "./onnxruntime_types.ts";
import { type Stopwatch, WALL } from "./stopwatch.ts";

/** Work, in multiply-accumulates or numbers moved, that a run of copies of a layer comes to. */
const WORK = 4e6;
const MOST_COPIES = 16;

/** Runs of a model: at least so many, and more until they have taken so long, up to a limit. */
const LEAST_RUNS = 7;
const LEAST_TIME = 4;
const MOST_RUNS = 40;

/** How often all layers are timed, unless told. */
const ROUNDS = 3;

/** Numbers in [0, 1), the same ones each time. */
function draws(): () => number {
  let state = 1;
  return () => (state = state * 16807 % 2147483647) / 2147483647;
}

function copiesOf({ network, image }: TimedLayers): number {
  const { height, width } = image;
  const channels = network.channels + (channelsOf(network).at(-1) ?? 0);
  const work = count(network, image).macs + height * width * channels;
  return Math.min(MOST_COPIES, Math.max(1, Math.round(WORK / work)));
}

/** The quickest of several runs, in milliseconds: others are those that something else held up. */
async function quickest(
  { Tensor }: OnnxRuntime,
  session: InferenceSession,
  { network: { channels }, image: { height, width } }: TimedLayers,
  now: Stopwatch,
): Promise<number> {
  const random = draws();
  const pixels = Float32Array.from({ length: channels * height * width }, () => 2 * random() - 1);
  const image = new Tensor(pixels, [1, channels, height, width]);
  await session.run({ [INPUT]: image }, [SHAPE]);
  let [least, taken] = [Infinity, 0];
  for (let i = 0; i < MOST_RUNS && (i < LEAST_RUNS || taken < LEAST_TIME); i++) {
    const start = now();
    await session.run({ [INPUT]: image }, [SHAPE]);
    const time = now() - start;
    least = Math.min(least, time);
    taken += time;
  }
  return least;
}

/** Milliseconds of one run of a model of so many copies. */
async function timeCopies(
  runtime: OnnxRuntime,
  timed: TimedLayers,
  { copies, now }: { copies: number; now: Stopwatch },
): Promise<number> {
  const bytes = layerModel(timed, { copies, random: draws() });
  const session = await openSession(runtime, bytes);
  try {
    return await quickest(runtime, session, timed, now);
  } finally {
    await session.release();
  }
}

/**
 * Times layers in onnxruntime-web's WebAssembly, on one thread, without what a run of a session takes
 * by itself: that is the time of {@link nothing}. `done` is told how many there are so far. Layers that are known are not timed again.
 */
export async function timeLayers(
  layers: readonly TimedLayers[],
  { known = new Map(), rounds = ROUNDS, now = WALL, done = () => {} }: {
    readonly known?: LayerTable;
    readonly rounds?: number;
    readonly now?: Stopwatch;
    readonly done?: (done: number, all: number) => void;
  } = {},
): Promise<Map<string, number>> {
  const open = new Map(layers.map((timed) => [layersKey(timed), timed] as const));
  for (const key of known.keys()) open.delete(key);
  const found = new Map<string, number>();
  if (!open.size) return found;
  const runtime = await loadRuntime();
  // What holds up a run lasts, and code is compiled well when it has run often: later rounds see what
  // is left without that.
  for (let round = 0; round < rounds; round++) {
    const empty = new Map<string, number>();
    let i = round * open.size;
    for (const [key, timed] of open) {
      done(i++, rounds * open.size);
      const rest = nothing(timed);
      const size = layersKey(rest);
      const least = empty.get(size) ?? await timeCopies(runtime, rest, { copies: 0, now });
      empty.set(size, least);
      const copies = copiesOf(timed);
      const time = key === size ? 0 : await timeCopies(runtime, timed, { copies, now });
      const own = key === size ? least : Math.max(time - least, time / 100) / copies;
      found.set(key, Math.min(own, found.get(key) ?? Infinity));
    }
  }
  done(rounds * open.size, rounds * open.size);
  return found;
}
