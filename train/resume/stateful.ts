import type { Tensor } from "../../kernels/gpu/tensor.ts";
import type { Parameters } from "../../nn/parameters.ts";

/** Part of a run that goes on from a training state. */
export interface Stateful {
  /** Named tensors, under the word that their names begin with in a training state. */
  readonly groups: Readonly<Record<string, Parameters>>;
  /** Single tensors, by their names in a training state. */
  readonly singles?: Readonly<Record<string, Tensor>>;
  /** Names of single tensors that stay as they are where a state lacks them. */
  readonly optional?: readonly string[];
  /** Numbers outside the GPU, by their names in a training state. */
  numbers?(): Readonly<Record<string, number>>;
  /** Takes those numbers again. */
  setNumbers?(numbers: Readonly<Record<string, number>>): void;
}
