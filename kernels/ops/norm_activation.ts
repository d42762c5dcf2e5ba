import { FUSED_ACTIVATIONS, type FusedActivation } from "./activations.ts";
import { RELU } from "../wgsl/elementwise.ts";

/** What a norm does to its result as it writes it. */
export interface OverNorm {
  /** Whether it is `max(·, 0)`. */
  readonly relu: boolean;
  /** Another activation, where there is no ReLU and no residual. Default: none. */
  readonly activation?: FusedActivation;
}

/** The WGSL of an activation over a norm. */
export interface OverNormWgsl {
  /** Functions that the expressions call. */
  readonly functions: string;
  /** The end of the kernel's name. */
  readonly suffix: string;
  /** The expression for the activation of `z`. */
  readonly value: (z: string) => string;
  /** The expression for `dy` times the slope at `z`. */
  readonly gradient: (z: string, dy: string) => string;
}

/** The WGSL of what is done to the result of a norm. */
export function overNorm({ relu, activation }: OverNorm): OverNormWgsl {
  if (relu) {
    return {
      functions: RELU,
      suffix: " and relu",
      value: (z) => `relu(${z})`,
      gradient: (z, dy) => `relu_gradient(${z}, ${dy})`,
    };
  }
  if (!activation) {
    return { functions: "", suffix: "", value: (z) => z, gradient: (_, dy) => dy };
  }
  const { name, functions, slopeFrom } = FUSED_ACTIVATIONS[activation];
  return {
    functions,
    suffix: ` and ${name}`,
    value: (z) => `value_of(${z})`,
    gradient: (z, dy) => `slope_of(${slopeFrom === "x" ? z : `value_of(${z})`}) * ${dy}`,
  };
}

/** The activation of what a norm gives, in float64. */
export function valueOver({ relu, activation }: OverNorm, z: number): number {
  if (relu) return Math.max(z, 0);
  return activation ? FUSED_ACTIVATIONS[activation].value(z, {}) : z;
}
