import type { Checkpoint } from "../export/checkpoint.ts";
import type { ByNetwork } from "../nn/which.ts";

/** A base network and small ones: `small`, or of several numbers `small-2`, `small-4` and so on. */
export type Together<N, Value> = [N] extends [number]
  ? { readonly base: Value; readonly small: Value }
  : [N] extends [readonly [number]] ? { readonly base: Value; readonly small: Value }
  : [N] extends [readonly (infer Each extends number)[]]
    ? { readonly base: Value } & { readonly [Name in `small-${Each}`]: Value }
  : Readonly<ByNetwork<Value>>;

/** The networks that a training gives, by mode, `which` and compression. */
export type NetworksOf<M, W, C> = [M] extends ["adjoined"] ? Together<C, Checkpoint>
  : [M] extends ["distill"] ? { readonly small: Checkpoint }
  : [M, W] extends ["plain", "base"] ? { readonly base: Checkpoint }
  : [M, W] extends ["plain", "small"] ? { readonly small: Checkpoint }
  : Readonly<ByNetwork<Checkpoint>>;

/** Something for each small network of a search, by its budgets. */
export type BySmall<B, Value> = [B] extends [number] ? { readonly small: Value }
  : [B] extends [readonly [number]] ? { readonly small: Value }
  : [B] extends [readonly (infer Each extends number)[]]
    ? { readonly [Name in `small-${Each}`]: Value }
  : Readonly<Omit<ByNetwork<Value>, "base">>;
