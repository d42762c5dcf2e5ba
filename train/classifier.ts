import { identity } from "../data/augment.ts";
import { type Pixels, withChannels } from "../data/channels.ts";
import { checkNumber } from "../data/number_check.ts";
import type { PictureSet } from "../data/pictures.ts";
import { type Preparation, prepare } from "../data/preparation.ts";
import { Rows } from "../data/rows.ts";
import type { Checkpoint } from "../export/checkpoint.ts";
import type { CheckpointInfo } from "../export/metadata.ts";
import { picturePreparation } from "../export/picture_preparation.ts";
import type { Gpu } from "../kernels/gpu.ts";
import type { Scope } from "../kernels/program/scope.ts";
import { logSoftmax } from "../kernels/ops/softmax.ts";
import { KernelSession } from "./kernel_session.ts";

/** A class that a network finds in a picture. */
export interface FoundClass {
  /** The name of the class. */
  readonly class: string;
  /** From 0 to 1; those of all classes add up to 1. */
  readonly probability: number;
}

/** How many classes are wanted of each picture. */
export interface ClassifyOptions {
  /** The most probable classes, at most as many as there are. Default: 5. */
  readonly top?: number;
}

/** The most probable classes by the logits of one image, the most probable first. */
export function topClasses(
  logits: Float32Array,
  classes: readonly string[],
  top: number,
): FoundClass[] {
  const logs = logSoftmax({ shape: [1, logits.length], data: Float64Array.from(logits) });
  return Array.from(logs, (log, i) => ({ class: classes[i], probability: Math.exp(log) }))
    .sort((a, b) => b.probability - a.probability).slice(0, top);
}

/** Batches for a network, and no pictures of their own. */
function emptySet({ image: [height, width, channels], classes }: CheckpointInfo): PictureSet {
  const source = {
    area: height * width,
    varied: false,
    read: () => Promise.resolve(undefined),
  };
  const labels = new Uint8Array(1);
  const name = "pictures";
  return { name, classes, length: 1, height, width, channels, labels, source, files: [] };
}

/**
 * A saved network that says what pictures show, prepared as those that it was validated on. Runs
 * wherever there is a {@link Gpu}; how files are decoded is for the program around to say.
 *
 * ```ts
 * import { Classifier, Gpu, initialize, model, networkSpecs, Random } from "@adjoin/adjoin";
 *
 * const network = model("resnet8", { classes: 2 });
 * const random = new Random(0, "weights");
 * const gpu = await Gpu.open();
 * using classifier = await Classifier.open(gpu, {
 *   network,
 *   state: initialize(networkSpecs(network), network, () => random.normal()),
 *   which: "base",
 *   classes: ["cat", "dog"],
 *   image: [32, 32, 3],
 *   normalization: { mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] },
 * });
 * const picture = { height: 90, width: 120, channels: 3, pixels: new Uint8Array(90 * 120 * 3) };
 * const [{ class: name, probability }] = await classifier.classify(picture);
 * console.log(name, probability);
 * ```
 */
export class Classifier {
  /** Names of the classes, and how pictures are prepared. */
  readonly info: CheckpointInfo;
  readonly #scope: Scope;
  readonly #session: KernelSession;
  readonly #preparation: Preparation;
  readonly #rows: Rows;

  private constructor(parts: {
    info: CheckpointInfo;
    scope: Scope;
    session: KernelSession;
    preparation: Preparation;
    rows: Rows;
  }) {
    this.info = parts.info;
    this.#scope = parts.scope;
    this.#session = parts.session;
    this.#preparation = parts.preparation;
    this.#rows = parts.rows;
  }

  /**
   * Compiles a network, as `parseCheckpoint` or `parseNetworks` gives it, for `batch` pictures at a
   * time. Raises a
   * `TypeError` for one of images that are neither grey nor RGB, a `RangeError` for a batch that is
   * not a whole number from 1 on.
   */
  static async open(
    gpu: Gpu,
    checkpoint: Checkpoint,
    { batch = 1 }: {
      /** Pictures that are run at a time. Default: 1. */
      readonly batch?: number;
    } = {},
  ): Promise<Classifier> {
    const preparation = picturePreparation(checkpoint);
    const dataset = emptySet(checkpoint);
    const rows = new Rows(dataset, batch);
    const scope = gpu.scope();
    try {
      const session = await KernelSession.open(scope, { checkpoint, dataset, batch });
      return new Classifier({ info: checkpoint, scope, session, preparation, rows });
    } catch (error) {
      scope[Symbol.dispose]();
      throw error;
    }
  }

  /**
   * The most probable classes of a picture, the most probable first. Pictures may be grey or RGB,
   * with or without alpha, which is laid on white, and of any size: `Picture`s, or the data of a
   * canvas with `channels: 4`. Raises a `TypeError` for as many pixels as do not fit their size, a
   * `RangeError` for a `top` that is not a whole number from 1 on.
   */
  classify(picture: Pixels, options?: ClassifyOptions): Promise<FoundClass[]>;
  /** Those of several pictures, one after the other. */
  classify(pictures: readonly Pixels[], options?: ClassifyOptions): Promise<FoundClass[][]>;
  async classify(
    pictures: Pixels | readonly Pixels[],
    { top = 5 }: ClassifyOptions = {},
  ): Promise<FoundClass[] | FoundClass[][]> {
    checkNumber("classify", "top", top, { from: 1, whole: true });
    if ("pixels" in pictures) return (await this.classify([pictures], { top }))[0];
    const { classes } = this.info;
    const crop = identity();
    const found: FoundClass[][] = [];
    for (let from = 0; from < pictures.length; from += this.#rows.length) {
      const some = pictures.slice(from, from + this.#rows.length);
      some.forEach((picture, row) => {
        this.#rows.put(row, { ...this.#prepared(picture), place: 0, label: 0 }, crop);
      });
      this.#rows.repeat(some.length);
      const logits = await this.#session.logits(this.#rows.batch(some.length));
      for (let row = 0; row < some.length; row++) {
        const own = logits.subarray(row * classes.length, (row + 1) * classes.length);
        found.push(topClasses(own, classes, top));
      }
    }
    return found;
  }

  #prepared(picture: Pixels): ReturnType<typeof prepare> {
    const { height, width, channels, pixels } = picture;
    const sizes = [height, width, channels];
    const whole = sizes.every((size) => Number.isInteger(size) && size > 0) && channels <= 4;
    if (!whole || pixels.length !== height * width * channels) {
      throw new TypeError(
        `Cannot classify a picture: wanted height x width x channels bytes, 1 to 4 a pixel, found ` +
          `${pixels.length} for ${height}x${width}x${channels}`,
      );
    }
    return prepare(withChannels(picture, this.#preparation.channels), this.#preparation);
  }

  /** Gives back its memory on the GPU. */
  [Symbol.dispose](): void {
    this.#scope[Symbol.dispose]();
  }
}
