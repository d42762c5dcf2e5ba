import type { Batch } from "../data/batch.ts";
import type { AnySplit } from "../data/dataset.ts";
import { median } from "../data/median.ts";
import { firstBatch } from "../data/picture_batches.ts";
import { Random } from "../data/random.ts";
import { encodeOnnx } from "../export/onnx.ts";
import { OnnxSession } from "../export/onnx_session.ts";
import type { Stopwatch } from "../export/stopwatch.ts";
import type { Network } from "../nn/network.ts";
import { initialize, networkSpecs } from "../nn/state.ts";
import { latencyProgress } from "./latency_progress.ts";
import type { Reporter } from "./types.ts";

/**
 * Times that both networks are loaded anew: where their values come to lie in memory makes one session
 * of a network up to a tenth slower than another, however often it runs.
 */
const SESSIONS = 5;

/** Runs of both in turns, of each session; of slow networks as many as this time allows. */
const MOST_RUNS = 20;
const LEAST_RUNS = 3;
const MILLISECONDS = 1000;

/** Milliseconds of the base and of a small network for one image. */
export interface Latencies {
  readonly base: number;
  readonly small: number;
}

/** What networks are measured with. */
export interface Measuring {
  readonly split: AnySplit;
  /** Default: the clock. */
  readonly now?: Stopwatch;
  readonly reporter: Pick<Reporter, "work">;
}

/**
 * What is typical of measurements: the base network's median, and the small one's share of it in the
 * median, as a machine that slows down slows both.
 */
export function typical(measured: readonly Latencies[]): Latencies {
  const base = median(measured.map((one) => one.base));
  return { base, small: base * median(measured.map((one) => one.small / one.base)) };
}

/** A network as it is exported, with weights that do not matter. */
function fileOf(
  which: "base" | "small",
  network: Network,
  { train, normalization }: AnySplit,
): Uint8Array {
  const random = new Random(0, "weights to time");
  const state = initialize(networkSpecs(network), network, () => random.normal());
  const image = [train.height, train.width, train.channels] as const;
  const saved = { which, network, state, image, classes: train.classes, normalization };
  return encodeOnnx(saved, { includeNormalization: false }).bytes;
}

/** Measures small networks beside their base in onnxruntime-web, one image, one thread. */
export class LatencyPair {
  readonly #base: Uint8Array;
  readonly #image: Batch;
  readonly #measuring: Measuring;

  private constructor(base: Uint8Array, image: Batch, measuring: Measuring) {
    this.#base = base;
    this.#image = image;
    this.#measuring = measuring;
  }

  /** Reads an image of a split for the base network. */
  static async open(base: Network, measuring: Measuring): Promise<LatencyPair> {
    const { split } = measuring;
    const image = await firstBatch({ dataset: split.validation, batch: 1 });
    return new LatencyPair(fileOf("base", base, split), image, measuring);
  }

  /**
   * Measures a small network and the base in turns: the quickest run of each, in each of several pairs
   * of sessions, which are opened in turns as well.
   */
  async measure(network: Network): Promise<readonly Latencies[]> {
    const { split, reporter } = this.#measuring;
    const files = [this.#base, fileOf("small", network, split)];
    const timed = latencyProgress(reporter, SESSIONS * MOST_RUNS);
    const found: Latencies[] = [];
    for (let i = 0; i < SESSIONS; i++) {
      found.push(
        await this.#session(files, i % 2 === 1, (part) => {
          timed(Math.floor((i + part) * MOST_RUNS));
        }),
      );
    }
    return found;
  }

  async #session(
    [base, small]: readonly Uint8Array[],
    smallFirst: boolean,
    done: (part: number) => void,
  ): Promise<Latencies> {
    await using opened = new AsyncDisposableStack();
    const open = async (bytes: Uint8Array, name: string): Promise<OnnxSession> =>
      opened.adopt(await OnnxSession.open(bytes, name), (session) => session.close());
    const early = smallFirst ? await open(small, "the small network") : undefined;
    const whole = await open(base, "the base network");
    const sessions = [whole, early ?? await open(small, "the small network")];
    const { now } = this.#measuring;
    const first = await OnnxSession.latencies(sessions, this.#image, { runs: 1, now });
    const turn = first[0] + first[1];
    const runs = Math.max(LEAST_RUNS, Math.min(MOST_RUNS, Math.round(MILLISECONDS / turn)));
    const [a, b] = await OnnxSession.latencies(sessions, this.#image, {
      ...{ runs, now },
      timed: (run) => done(run / runs),
    });
    return { base: a, small: b };
  }
}
