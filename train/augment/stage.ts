import type { Draw } from "../../data/draws.ts";
import type { Tensor } from "../../kernels/gpu/tensor.ts";
import type { Apply } from "../../nn/tape.ts";

/**
 * An augmentation of sampled images on the GPU. Images are `[batch, height, width, channels]` with
 * values from 0 to 255; the numbers that are drawn for each of them are `[batch, numbers]`.
 */
export interface Stage {
  /** What it draws. */
  readonly draw: Draw;
  /** Records its op. */
  record(apply: Apply, images: Tensor, numbers: Tensor): Tensor;
}

/** A stage that lays each image over its partner, the one in the mirrored row of the batch. */
export interface Mixing extends Stage {
  /** The share of each image in its mixture, `[batch]`, out of the numbers drawn. */
  shares(numbers: Float32Array): Float32Array<ArrayBuffer>;
}
