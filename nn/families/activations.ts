import type { NetworkBuilder, Value } from "../network.ts";

/** An activation, by which a family says where it has which. */
export type Activation = (n: NetworkBuilder, x: Value) => Value;

/** `max(x, 0)`. */
export const relu: Activation = (n, x) => n.relu(x);

/** `min(max(x, 0), 6)`. */
export const relu6: Activation = (n, x) => n.relu6(x);

/** `1 / (1 + exp(-x))`. */
export const sigmoid: Activation = (n, x) => n.sigmoid(x);

/** `min(max(x / 6 + 1 / 2, 0), 1)`. */
export const hardSigmoid: Activation = (n, x) => n.hardSigmoid(x);

/** `x sigmoid(x)`. */
export const silu: Activation = (n, x) => n.silu(x);

/** `x hardSigmoid(x)`. */
export const hardSwish: Activation = (n, x) => n.hardSwish(x);
