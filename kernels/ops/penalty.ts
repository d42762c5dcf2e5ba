import { defineKernel } from "../gpu/kernel.ts";
import type { Input, Op } from "../op.ts";
import { checkVector, type Typed } from "./softmax.ts";

const PENALTY = ["loss", "cost", "lambda", "gamma"] as const;

function checkPenalty(inputs: readonly Typed[]): void {
  PENALTY.forEach((what, i) => checkVector("penalty", what, 1, inputs[i]));
}

const forward = defineKernel({
  name: "penalty",
  workgroupSize: 1,
  reads: { loss: "f32", cost: "f32", lambda: "f32", gamma: "f32" },
  writes: { y: "bulk" },
  dims: {},
  wgsl: `fn main(workgroup: u32, lane: u32) {
  set_y(0u, vec4f(loss[0] + lambda[0] * gamma[0] * cost[0], 0.0, 0.0, 0.0));
}`,
});

const backward = defineKernel({
  name: "penalty gradient",
  workgroupSize: 1,
  reads: { dy: "f32", lambda: "f32", gamma: "f32" },
  writes: { dcost: "bulk" },
  dims: {},
  wgsl: `fn main(workgroup: u32, lane: u32) {
  set_dcost(0u, vec4f(dy[0] * lambda[0] * gamma[0], 0.0, 0.0, 0.0));
}`,
});

const given = (value?: number): Input => ({
  shape: [1],
  differentiable: false,
  ...value === undefined ? {} : { sample: () => value },
});

/**
 * `penalty(loss, cost, lambda, gamma)`: loss + lambda · gamma · cost, all `[1]`. The gradient is
 * that of loss and cost.
 */
export const penalty: Op = {
  name: "penalty",
  forward: (trace, inputs) => {
    checkPenalty(inputs);
    const [loss, cost, lambda, gamma] = inputs;
    const y = trace.tensor("penalized loss", [1]);
    const reads = { loss, cost, lambda, gamma };
    trace.run(forward, { reads, writes: { y }, dims: {}, workgroups: 1 });
    return [y];
  },
  vjp: (trace, { inputs: [, , lambda, gamma] }, dy) => {
    const dcost = trace.tensor("dcost", [1]);
    trace.run(backward, {
      reads: { dy, lambda, gamma },
      writes: { dcost },
      dims: {},
      workgroups: 1,
    });
    return [dy, dcost, null, null];
  },
  reference: (inputs) => {
    checkPenalty(inputs);
    const [loss, cost, lambda, gamma] = inputs.map(({ data }) => data[0]);
    return [{ shape: [1], data: Float64Array.of(loss + lambda * gamma * cost) }];
  },
  cases: [
    { inputs: [[1], [1], given(0.7), given(0.5)], attributes: {} },
    { inputs: [[1], [1], given(0), given(3)], attributes: {} },
    { inputs: [[1], [1], given(), given()], attributes: {} },
  ],
};

const adapt = defineKernel({
  name: "adapt penalty",
  workgroupSize: 1,
  reads: { cost: "f32", aim: "f32" },
  writes: { gamma: "f32", excess: "f32" },
  dims: {},
  wgsl: `fn main(workgroup: u32, lane: u32) {
  let over = cost[0] - aim[0];
  excess[0] += over;
  gamma[0] = fma(aim[1], over, aim[2] * excess[0]);
}`,
});

function checkAdapt([gamma, excess, cost, aim]: readonly Typed[]): void {
  checkVector("adapt penalty", "gamma", 1, gamma);
  checkVector("adapt penalty", "the excess", 1, excess);
  checkVector("adapt penalty", "the cost", 1, cost);
  checkVector("adapt penalty", "the aim", 3, aim);
}

/**
 * `adaptPenalty(gamma, excess, cost, aim)` sets the weight gamma `[1]` of a cost `[1]` so that the
 * cost comes to meet a budget: excess `[1]` adds up by how much the cost was over it, and with aim
 * `[3]`, (budget, proportional gain, integral gain), in place,
 *
 *     gamma = proportional · (cost - budget) + integral · excess
 */
export const adaptPenalty: Op = {
  name: "adapt penalty",
  forward: (trace, inputs) => {
    checkAdapt(inputs);
    const [gamma, excess, cost, aim] = inputs;
    trace.run(adapt, {
      reads: { cost, aim },
      writes: { gamma, excess },
      dims: {},
      workgroups: 1,
    });
    return [gamma, excess];
  },
  vjp: "none",
  reference: (inputs) => {
    checkAdapt(inputs);
    const [, excess, cost, aim] = inputs;
    const [budget, proportional, integral] = aim.data;
    const over = cost.data[0] - budget;
    const sum = excess.data[0] + over;
    return [
      { shape: [1], data: Float64Array.of(proportional * over + integral * sum) },
      { shape: [1], data: Float64Array.of(sum) },
    ];
  },
  cases: [{ inputs: [[1], [1], [1], [3]], attributes: {} }],
};
