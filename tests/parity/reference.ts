import { DataError } from "../../data/error.ts";
import type { Safetensors } from "../../data/safetensors.ts";
import { fromTorch, nchwToNhwc } from "../../nn/layout.ts";

/** A tensor of a reference file, in the layout of the GPU. */
export interface Reference {
  readonly shape: readonly number[];
  readonly values: ArrayLike<number>;
  readonly type: "f32" | "u32";
}

/** Whether a tensor of this name is a filter or the gradient of one, not an image. */
function isWeight(name: string): boolean {
  return /(^|\.)d?weight$/.test(name);
}

/** A tensor of a file: images from NCHW, weights from PyTorch's layout, labels as they are. */
export function reference(file: Safetensors, name: string): Reference {
  const found = file.tensors.get(name);
  if (!found) throw new DataError(`Cannot check the file: it has no tensor ${name}`);
  const { shape, data, dtype } = found;
  if (dtype.startsWith("I") || dtype.startsWith("U")) {
    return { shape, values: Array.from(data, Number), type: "u32" };
  }
  const values = Float32Array.from(data, Number);
  if (isWeight(name)) {
    const axes = shape.length === 4 ? [2, 3, 1, 0] : shape.length === 2 ? [1, 0] : [0];
    return { shape: axes.map((a) => shape[a]), values: fromTorch(values, shape), type: "f32" };
  }
  if (shape.length !== 4) return { shape, values, type: "f32" };
  const [n, c, h, w] = shape;
  return { shape: [n, h, w, c], values: nchwToNhwc(values, shape), type: "f32" };
}

/** The distance of two arrays over the norm of the wanted one, or by itself where that is 0. */
export function relativeError(found: ArrayLike<number>, wanted: ArrayLike<number>): number {
  if (found.length !== wanted.length) return Infinity;
  let difference = 0;
  let norm = 0;
  for (let i = 0; i < wanted.length; i++) {
    difference += (found[i] - wanted[i]) ** 2;
    norm += wanted[i] ** 2;
  }
  const error = Math.sqrt(norm > 0 ? difference / norm : difference);
  return Number.isNaN(error) ? Infinity : error;
}

/** The largest {@link relativeError} of pairs of what was found and what was wanted. */
export function furthest(
  pairs: readonly (readonly [found: ArrayLike<number>, wanted: ArrayLike<number>])[],
): number {
  return Math.max(...pairs.map(([found, wanted]) => relativeError(found, wanted)));
}
