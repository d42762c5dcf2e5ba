import { add } from "./add.ts";
import { avgPool2d } from "./avg_pool2d.ts";
import { batchNorm } from "./batch_norm.ts";
import { concat } from "./concat.ts";
import { conv2d } from "./conv2d.ts";
import { globalAvgPool2d } from "./global_avg_pool2d.ts";
import type { LayerBase, LayerKind } from "./layer.ts";
import { linear } from "./linear.ts";
import { maxPool2d } from "./max_pool2d.ts";
import { narrow } from "./narrow.ts";
import { relu } from "./relu.ts";

/** All kinds of layers. A method of the builder, and all else, follows from each. */
export const KINDS: {
  readonly conv2d: typeof conv2d;
  readonly batchNorm: typeof batchNorm;
  readonly linear: typeof linear;
  readonly relu: typeof relu;
  readonly add: typeof add;
  readonly narrow: typeof narrow;
  readonly concat: typeof concat;
  readonly maxPool2d: typeof maxPool2d;
  readonly avgPool2d: typeof avgPool2d;
  readonly globalAvgPool2d: typeof globalAvgPool2d;
} = {
  conv2d,
  batchNorm,
  linear,
  relu,
  add,
  narrow,
  concat,
  maxPool2d,
  avgPool2d,
  globalAvgPool2d,
};

/** The kinds by name. */
export type Kinds = typeof KINDS;

/** One layer of a network. */
export type Layer = {
  [K in keyof Kinds]: Kinds[K] extends LayerKind<infer L, infer _> ? L : never;
}[keyof Kinds];

/** The names of all kinds. */
export const KIND_NAMES: readonly string[] = Object.keys(KINDS);

const BY_NAME: ReadonlyMap<string, LayerKind> = new Map<string, LayerKind>(Object.entries(KINDS));

/** The kind of this name, `undefined` where there is none. */
export function findKind(name: unknown): LayerKind | undefined {
  return typeof name === "string" ? BY_NAME.get(name) : undefined;
}

/** The kind of a layer. Raises a `TypeError` for one that is not known. */
export function kindOf({ kind }: LayerBase): LayerKind {
  const found = findKind(kind);
  if (found) return found;
  throw new TypeError(
    `Cannot use a layer of kind ${kind}: wanted one of ${KIND_NAMES.join(", ")}`,
  );
}
