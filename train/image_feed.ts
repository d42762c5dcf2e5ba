import type { Batch } from "../data/batch.ts";
import type { Dataset, Normalization } from "../data/dataset.ts";
import type { Draw } from "../data/draws.ts";
import type { PictureSet } from "../data/pictures.ts";
import type { Interpolation } from "../data/resample.ts";
import { frameOf } from "../data/rows.ts";
import { augment } from "../kernels/ops/augment.ts";
import { normalizePixels } from "../kernels/ops/normalize_pixels.ts";
import { samplePictures } from "../kernels/ops/sample_pictures.ts";
import type { Scope } from "../kernels/program/scope.ts";
import type { Tensor } from "../kernels/gpu/tensor.ts";
import type { Trace } from "../kernels/program/trace.ts";
import type { Apply } from "../nn/tape.ts";
import type { Mixing, Stage } from "./augment/stage.ts";
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
  readonly dataset: Dataset | PictureSet;
  /** What pixels are normalised by. */
  readonly normalization: Normalization;
  /** Images in a batch. */
  readonly batch: number;
  /** What images are cropped to. */
  readonly image: ImageShape;
  /** The filter of pictures of several sizes. Default: bilinear. */
  readonly interpolation?: Interpolation;
  /** Augmentations after cropping, in their order. Default: none. */
  readonly stages?: readonly Stage[];
  /** What is done last, to images in pairs. Default: nothing. */
  readonly mixing?: Mixing;
}

/** All that is drawn for a feed, in the order of a batch's draws. */
export function drawsOf({ stages = [], mixing }: Pick<Feed, "stages" | "mixing">): Draw[] {
  return [...stages, ...mixing ? [mixing] : []].map(({ draw }) => draw);
}

/** Second labels of mixed images, on the GPU. */
export interface MixedLabels {
  /** `[batch]`, u32. */
  readonly others: Tensor;
  /** `[batch]`: the share of the first label. */
  readonly shares: Tensor;
}

/** A batch on the GPU: bytes, where to crop them, labels, and what augmentations draw. */
export class Images {
  readonly labels: Tensor;
  /** Where the feed mixes images. */
  readonly mixed?: MixedLabels;
  readonly #feed: Feed;
  readonly #scope: Scope;
  readonly #pixels: Tensor;
  readonly #crops: Tensor;
  readonly #sizes?: Tensor;
  /** What the feed draws, and where it goes. */
  readonly #drawn: readonly Draw[];
  readonly #draws: readonly Tensor[];
  readonly #slot: number;

  constructor(scope: Scope, feed: Feed) {
    const { dataset, batch } = feed;
    const { bytes, varied } = frameOf(dataset);
    this.#scope = scope;
    this.#feed = feed;
    this.#slot = bytes;
    this.#pixels = scope.tensor("pixels", [Math.ceil(batch * bytes / 4)], undefined, "u32");
    this.#crops = scope.tensor("crops", [batch, 4]);
    if (varied) this.#sizes = scope.tensor("sizes", [batch, 2], undefined, "u32");
    this.labels = scope.tensor("labels", [batch], undefined, "u32");
    this.#drawn = drawsOf(feed);
    this.#draws = this.#drawn.map(({ name, numbers }) => scope.tensor(name, [batch, numbers]));
    if (feed.mixing) {
      this.mixed = {
        others: scope.tensor("other labels", [batch], undefined, "u32"),
        shares: scope.tensor("shares", [batch]),
      };
    }
  }

  /** All that a batch is sent to. */
  get tensors(): Tensor[] {
    const { mixed } = this;
    return [
      this.#pixels,
      this.#crops,
      ...this.#sizes ? [this.#sizes] : [],
      this.labels,
      ...this.#draws,
      ...mixed ? [mixed.others, mixed.shares] : [],
    ];
  }

  /** Raises a `RangeError` for a batch of which not all images are meant. */
  demandFull({ count }: Batch): void {
    const { batch } = this.#feed;
    if (count === batch) return;
    throw new RangeError(
      `Cannot train on a batch of ${batch} images: wanted all of them, found a count of ${count}`,
    );
  }

  /**
   * Sends a batch; images beyond its count get a label that no class has. Raises errors for a batch
   * that does not fit the program: see {@link checkBatch}.
   */
  send(batch: Batch): void {
    const { dataset, batch: length, image, mixing } = this.#feed;
    checkBatch(batch, { source: dataset, batch: length, to: image, draws: this.#drawn });
    const { pixels, crops, labels, count, sizes } = batch;
    const words = new Uint32Array(pixels.buffer, pixels.byteOffset, Math.ceil(pixels.length / 4));
    this.#scope.write(this.#pixels, words);
    this.#scope.write(this.#crops, crops);
    if (this.#sizes && sizes) this.#scope.write(this.#sizes, sizes);
    this.#scope.write(this.labels, labels.map((label, i) => i < count ? label : 0xffffffff));
    this.#draws.forEach((tensor, i) => this.#scope.write(tensor, batch.draws?.[i] ?? []));
    if (!this.mixed || !mixing) return;
    this.#scope.write(this.mixed.others, labels.toReversed());
    this.#scope.write(this.mixed.shares, mixing.shares(batch.draws?.at(-1) ?? new Float32Array()));
  }

  /** Records cropping, augmenting and normalising: `[batch, height, width, channels]`. */
  record(trace: Trace, normalization: Normalization): Tensor {
    const apply = applying(trace);
    const { stages = [], mixing } = this.#feed;
    const all = [...stages, ...mixing ? [mixing] : []];
    if (all.length === 0) return this.#sample(apply, normalization);
    const { channels } = this.#feed.dataset;
    const bytes = {
      mean: new Array<number>(channels).fill(0),
      std: new Array<number>(channels).fill(1 / 255),
    };
    let images = this.#sample(apply, bytes);
    all.forEach((stage, i) => images = stage.record(apply, images, this.#draws[i]));
    return apply(normalizePixels, [images], normalization)[0];
  }

  /** Records the crops, normalised. */
  #sample(apply: Apply, { mean, std }: Normalization): Tensor {
    const { dataset, batch, image, interpolation = "bilinear" } = this.#feed;
    const { height, width, channels } = dataset;
    const to = { outHeight: image.height, outWidth: image.width };
    if (this.#sizes) {
      const inputs = [this.#pixels, this.#sizes, this.#crops];
      const slotWords = this.#slot / 4;
      const attributes = { batch, slotWords, channels, ...to, interpolation, mean, std };
      return apply(samplePictures, inputs, attributes)[0];
    }
    const inputs = [this.#pixels, this.#crops];
    return apply(augment, inputs, { batch, height, width, channels, ...to, mean, std })[0];
  }
}
