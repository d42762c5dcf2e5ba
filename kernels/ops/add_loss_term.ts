import { defineKernel } from "../gpu/kernel.ts";
import type { Case, Input, Op } from "../op.ts";
import { checkVector, type Typed } from "./softmax.ts";

/** Attributes of a term that is added to a loss. */
export interface LossTermAttributes {
  /**
   * The weight of the small network's own cross entropy. Above 0, there is one more input,
   * `entropy` `[1]`.
   */
  readonly smallCrossEntropy: number;
}

const NAME = "loss term";
const INPUTS = ["loss", "parts", "divergence", "lambda", "entropy"] as const;

function checkInputs(inputs: readonly Typed[], { smallCrossEntropy }: LossTermAttributes): void {
  if (!(smallCrossEntropy >= 0 && smallCrossEntropy < Infinity)) {
    throw new RangeError(
      `Cannot apply ${NAME}: wanted a weight of the cross entropy from 0 on, found ` +
        smallCrossEntropy,
    );
  }
  const wanted = smallCrossEntropy > 0 ? 5 : 4;
  if (inputs.length !== wanted) {
    throw new TypeError(`Cannot apply ${NAME}: wanted ${wanted} inputs, found ${inputs.length}`);
  }
  inputs.forEach((input, i) => checkVector(NAME, INPUTS[i], i === 1 ? 4 : 1, input));
}

const forward = (own: boolean) =>
  defineKernel({
    name: `${NAME}${own ? ", with cross entropy" : ""}`,
    workgroupSize: 1,
    reads: {
      ...{ before: "channel", of_before: "channel", divergence: "channel", lambda: "channel" },
      ...(own && { entropy: "channel" }),
    } as Record<string, "channel">,
    writes: { loss: "bulk", parts: "bulk" },
    dims: { weight: "f32" },
    wgsl: /* wgsl */ `
fn main(workgroup: u32, lane: u32) {
  let loss = before(0u).x + lambda(0u).x * divergence(0u).x${
      own ? " + dims.weight * entropy(0u).x" : ""
    };
  let parts = of_before(0u);
  set_loss(0u, vec4f(loss, 0.0, 0.0, 0.0));
  set_parts(0u, vec4f(loss, parts.y, parts.z + divergence(0u).x, 1.0));
}`,
  });

const backward = (own: boolean) =>
  defineKernel({
    name: `${NAME} gradient${own ? ", with cross entropy" : ""}`,
    workgroupSize: 1,
    reads: { dy: "channel", lambda: "channel" },
    writes: { ddivergence: "bulk", ...(own && { dentropy: "bulk" }) } as Record<string, "bulk">,
    dims: { weight: "f32" },
    wgsl: /* wgsl */ `
fn main(workgroup: u32, lane: u32) {
  set_ddivergence(0u, vec4f(dy(0u).x * lambda(0u).x, 0.0, 0.0, 0.0));
  ${own ? "set_dentropy(0u, vec4f(dy(0u).x * dims.weight, 0.0, 0.0, 0.0));" : ""}
}`,
  });

const example = (lambda: number, smallCrossEntropy: number): Case<LossTermAttributes> => {
  const given = (sample: () => number): Input => ({ shape: [1], sample, differentiable: false });
  return {
    inputs: [
      [1],
      { shape: [4], differentiable: false },
      [1],
      given(() => lambda),
      ...smallCrossEntropy > 0 ? [[1]] : [],
    ],
    attributes: { smallCrossEntropy },
  };
};

/**
 * `addLossTerm(loss, parts, divergence, lambda, entropy?)`: to a loss `[1]` and its parts `[4]` =
 * (loss, cross entropy, divergence, 1), what a small network adds, given its divergence from the base
 * and its own cross entropy, `[1]` each:
 *
 *     loss + lambda · divergence + smallCrossEntropy · entropy
 *
 * Outputs the loss `[1]` and its parts `[4]`, whose divergence is the sum. lambda `[1]` and the parts
 * have no gradient.
 */
export const addLossTerm: Op<LossTermAttributes> = {
  name: NAME,
  forward: (trace, inputs, attributes) => {
    checkInputs(inputs, attributes);
    const [before, of_before, divergence, lambda, entropy] = inputs;
    const loss = trace.tensor("loss", [1]);
    const parts = trace.tensor("loss parts", [4]);
    trace.run(forward(entropy !== undefined), {
      reads: { before, of_before, divergence, lambda, ...(entropy && { entropy }) },
      writes: { loss, parts },
      dims: { weight: attributes.smallCrossEntropy },
      workgroups: 1,
    });
    return [loss, parts];
  },
  vjp: (trace, { inputs: [, , , lambda, entropy], attributes }, dy) => {
    const ddivergence = trace.tensor("ddivergence", [1]);
    const dentropy = entropy && trace.tensor("dentropy", [1]);
    trace.run(backward(entropy !== undefined), {
      reads: { dy, lambda },
      writes: { ddivergence, ...(dentropy && { dentropy }) },
      dims: { weight: attributes.smallCrossEntropy },
      workgroups: 1,
    });
    return [dy, null, ddivergence, null, ...dentropy ? [dentropy] : []];
  },
  reference: (inputs, attributes) => {
    checkInputs(inputs, attributes);
    const [before, parts, divergence, lambda, entropy] = inputs.map(({ data }) => data);
    const loss = before[0] + lambda[0] * divergence[0] +
      (entropy ? attributes.smallCrossEntropy * entropy[0] : 0);
    return [
      { shape: [1], data: Float64Array.of(loss) },
      { shape: [4], data: Float64Array.of(loss, parts[1], parts[2] + divergence[0], 1) },
    ];
  },
  cases: [example(0.7, 0), example(0, 0), example(2, 0.5)],
};
