import type { Batch } from "../data/batch.ts";
import type { AnySplit } from "../data/dataset.ts";
import { firstBatch } from "../data/picture_batches.ts";
import { Random } from "../data/random.ts";
import { encodeOnnx } from "../export/onnx.ts";
import { OnnxSession } from "../export/onnx_session.ts";
import type { Stopwatch } from "../export/stopwatch.ts";
import type { Network } from "../nn/network.ts";
import { initialize, networkSpecs } from "../nn/state.ts";
import { latencyProgress } from "./latency_progress.ts";
import type { Reporter } from "./types.ts";

/** Runs of both networks, in turns. */
const RUNS = 50;

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

/** A network as it is exported, with weights that do not matter. */
async function sessionOf(
  which: "base" | "small",
  network: Network,
  { train, normalization }: AnySplit,
): Promise<OnnxSession> {
  const random = new Random(0, "weights to time");
  const state = initialize(networkSpecs(network), network, () => random.normal());
  const image = [train.height, train.width, train.channels] as const;
  const saved = { which, network, state, image, classes: train.classes, normalization };
  const { bytes } = encodeOnnx(saved, { includeNormalization: false });
  return await OnnxSession.open(bytes, `the ${which} network`);
}

/** Measures small networks beside their base in onnxruntime-web, one image, one thread. */
export class LatencyPair {
  readonly #base: OnnxSession;
  readonly #image: Batch;
  readonly #split: AnySplit;
  readonly #now?: Stopwatch;
  readonly #reporter: Pick<Reporter, "work">;

  private constructor(
    base: OnnxSession,
    image: Batch,
    { split, now, reporter }: Measuring,
  ) {
    this.#now = now;
    this.#base = base;
    this.#image = image;
    this.#split = split;
    this.#reporter = reporter;
  }

  /** Opens the base network, for images of a split. */
  static async open(base: Network, measuring: Measuring): Promise<LatencyPair> {
    const { split } = measuring;
    const image = await firstBatch({ dataset: split.validation, batch: 1 });
    return new LatencyPair(await sessionOf("base", base, split), image, measuring);
  }

  /** Measures a small network and the base in turns. */
  async measure(network: Network): Promise<Latencies> {
    const session = await sessionOf("small", network, this.#split);
    try {
      const sessions = [this.#base, session];
      const [base, small] = await OnnxSession.latencies(sessions, this.#image, {
        runs: RUNS,
        now: this.#now,
        timed: latencyProgress(this.#reporter, RUNS),
      });
      return { base, small };
    } finally {
      await session.close();
    }
  }

  /** Frees its memory. */
  async close(): Promise<void> {
    await this.#base.close();
  }
}
