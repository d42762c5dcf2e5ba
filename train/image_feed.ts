import type { Batch } from "../data/batches.ts";
import type { Dataset, Normalization } from "../data/dataset.ts";
import { augment } from "../kernels/ops/augment.ts";
import type { Scope } from "../kernels/program/scope.ts";
import type { Tensor } from "../kernels/gpu/tensor.ts";
import type { Trace } from "../kernels/program/trace.ts";
import { checkBatch } from "./batch_check.ts";
import { applying } from "./learner.ts";

/** The size of the images that a network is given. */
export interface ImageShape {
  /** Pixels from top to bottom. */
  readonly height: number;
  /** Pixels from left to right. */
  readonly width: number;
}

/** The data side of a program. */
export interface Feed {
  /** Its sizes fix those of the buffers; batches must come from it. */
  readonly dataset: Dataset;
  /** What pixels are normalised by. */
  readonly normalization: Normalization;
  /** Images in a batch. */
  readonly batch: number;
  /** What images are cropped to. */
  readonly image: ImageShape;
}

/** A batch on the GPU: bytes, where to crop them, labels. */
export class Images {
  readonly labels: Tensor;
  readonly #pixels: Tensor;
  readonly #crops: Tensor;
  readonly #scope: Scope;
  readonly #source: Dataset;
  readonly #batch: number;
  #to: ImageShape = { height: 1, width: 1 };

  constructor(scope: Scope, source: Dataset, batch: number) {
    const bytes = batch * source.height * source.width * source.channels;
    this.#scope = scope;
    this.#source = source;
    this.#batch = batch;
    this.#pixels = scope.tensor("pixels", [Math.ceil(bytes / 4)], undefined, "u32");
    this.#crops = scope.tensor("crops", [batch, 4]);
    this.labels = scope.tensor("labels", [batch], undefined, "u32");
  }

  /** All that a batch is sent to. */
  get tensors(): Tensor[] {
    return [this.#pixels, this.#crops, this.labels];
  }

  /** Raises a `RangeError` for a batch of which not all images are meant. */
  demandFull({ count }: Batch): void {
    if (count === this.#batch) return;
    throw new RangeError(
      `Cannot train on a batch of ${this.#batch} images: wanted all of them, found a count of ${count}`,
    );
  }

  /**
   * Sends a batch; images beyond its count get a label that no class has. Raises errors for a batch
   * that does not fit the program: see {@link checkBatch}.
   */
  send(batch: Batch): void {
    checkBatch(batch, { source: this.#source, batch: this.#batch, to: this.#to });
    const { pixels, crops, labels, count } = batch;
    const words = new Uint32Array(pixels.buffer, pixels.byteOffset, Math.ceil(pixels.length / 4));
    this.#scope.write(this.#pixels, words);
    this.#scope.write(this.#crops, crops);
    this.#scope.write(this.labels, labels.map((label, i) => i < count ? label : 0xffffffff));
  }

  /** Records cropping and normalising: `[batch, height, width, channels]`. */
  record(trace: Trace, { mean, std }: Normalization, to: ImageShape): Tensor {
    this.#to = to;
    const { height, width, channels } = this.#source;
    return applying(trace)(augment, [this.#pixels, this.#crops], {
      batch: this.#batch,
      height,
      width,
      channels,
      outHeight: to.height,
      outWidth: to.width,
      mean,
      std,
    })[0];
  }
}
