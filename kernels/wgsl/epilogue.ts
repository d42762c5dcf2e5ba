import type { Tensor } from "../gpu/tensor.ts";

/** The tensors of an epilogue, the last step of a kernel before it writes a gradient. */
export interface EpilogueOperands {
  /** Added to the gradient: what else flows into the same tensor. */
  readonly plus?: Tensor;
  /** The result of a ReLU: where it is not above 0, the sum becomes 0. */
  readonly gate?: Tensor;
}

/** The epilogue of a kernel, its last step before it writes a gradient. */
export interface Epilogue {
  /** Whether a tensor `plus` is added to it. */
  readonly plus: boolean;
  /** Whether it is zero where a tensor `gate` is not above 0. */
  readonly gate: boolean;
}

/** The epilogue that stores a gradient as it is. */
export const NO_EPILOGUE: Epilogue = { plus: false, gate: false };

/** The epilogue that takes these tensors. */
export function epilogueOf({ plus, gate }: EpilogueOperands): Epilogue {
  return { plus: plus !== undefined, gate: gate !== undefined };
}

/**
 * The parts of a kernel that an epilogue adds: reads, the end of its name, the value to store at
 * vec4 `at`.
 */
export function epilogueStore(
  { plus, gate }: Epilogue,
): {
  reads: Record<string, "bulk">;
  suffix: string;
  value: (sum: string, at: string) => string;
} {
  return {
    reads: { ...(plus ? { plus: "bulk" } : {}), ...(gate ? { gate: "bulk" } : {}) },
    suffix: (plus ? ", added" : "") + (gate ? ", gated" : ""),
    value: (sum, at) => {
      const total = plus ? `${sum} + plus(${at})` : sum;
      return gate ? `select(vec4f(), ${total}, gate(${at}) > vec4f())` : total;
    },
  };
}
