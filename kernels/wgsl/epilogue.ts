import type { Tensor } from "../gpu/tensor.ts";

/** What a gradient is joined with as it is written. */
export interface Joined {
  /** Added to the gradient: what else flows into the same tensor. */
  readonly plus?: Tensor;
  /** The result of a ReLU: where it is not above 0, the sum becomes 0. */
  readonly gate?: Tensor;
}

/** What a gradient is joined with as it is stored. */
export interface Joins {
  /** Whether a tensor `plus` is added to it. */
  readonly plus: boolean;
  /** Whether it is zero where a tensor `gate` is not above 0. */
  readonly gate: boolean;
}

/** The joins that {@link Joined} takes. */
export function joinsOf({ plus, gate }: Joined): Joins {
  return { plus: plus !== undefined, gate: gate !== undefined };
}

/** Reads, the end of a name, and the value to store at vec4 `at`, of a gradient that is joined. */
export function joinedStore(
  { plus, gate }: Joins,
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
