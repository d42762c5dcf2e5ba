import { defineKernel } from "../gpu/kernel.ts";
import type { Case, Input, Op, Values } from "../op.ts";
import { quads, type Tensor } from "../gpu/tensor.ts";

const DIMS = { groups: "u32", candidates: "u32", row_quads: "u32" } as const;

const CANDIDATES = /* wgsl */ `
fn is_candidate(quad: u32) -> vec4<bool> {
  return vec4u(quad * 4u) + vec4u(0u, 1u, 2u, 3u) < vec4u(dims.candidates);
}`;

const forward = defineKernel({
  name: "gumbel softmax",
  workgroupSize: 64,
  reads: { theta: "small", noise: "small", temperature: "channel" },
  writes: { gates: "bulk" },
  dims: DIMS,
  wgsl: /* wgsl */ `
${CANDIDATES}
fn main(workgroup: u32, lane: u32) {
  let group = workgroup * 64u + lane;
  if (group >= dims.groups) { return; }
  let first = group * dims.row_quads;
  let scale = 1.0 / temperature(0u).x;
  var high = vec4f(-3.0e38);
  for (var q = 0u; q < dims.row_quads; q++) {
    let z = (theta(first + q) + noise(first + q)) * scale;
    high = max(high, select(vec4f(-3.0e38), z, is_candidate(q)));
  }
  let m = max(max(high.x, high.y), max(high.z, high.w));
  var sum = vec4f();
  for (var q = 0u; q < dims.row_quads; q++) {
    let z = (theta(first + q) + noise(first + q)) * scale;
    sum += select(vec4f(), exp(z - m), is_candidate(q));
  }
  let total = (sum.x + sum.y) + (sum.z + sum.w);
  for (var q = 0u; q < dims.row_quads; q++) {
    let z = (theta(first + q) + noise(first + q)) * scale;
    set_gates(first + q, select(vec4f(), exp(z - m) / total, is_candidate(q)));
  }
}`,
  iterations: ({ row_quads }) => 3 * (row_quads + 1),
});

const backward = defineKernel({
  name: "gumbel softmax gradient",
  workgroupSize: 64,
  reads: { gates: "small", dy: "small", temperature: "channel" },
  writes: { dtheta: "bulk" },
  dims: DIMS,
  wgsl: /* wgsl */ `
fn main(workgroup: u32, lane: u32) {
  let group = workgroup * 64u + lane;
  if (group >= dims.groups) { return; }
  let first = group * dims.row_quads;
  var mean = 0.0;
  for (var q = 0u; q < dims.row_quads; q++) { mean += dot(gates(first + q), dy(first + q)); }
  for (var q = 0u; q < dims.row_quads; q++) {
    set_dtheta(first + q, gates(first + q) * (dy(first + q) - mean) / temperature(0u).x);
  }
}`,
  iterations: ({ row_quads }) => 2 * (row_quads + 1),
});

function check([theta, noise, temperature]: readonly (Tensor | Values)[]): void {
  const same = String(theta.shape) === String(noise.shape);
  if (theta.shape.length !== 2 || !same || String(temperature.shape) !== "1") {
    throw new TypeError(
      `Cannot apply gumbel softmax: wanted theta and noise [groups, candidates] and a ` +
        `temperature [1], found [${theta.shape}], [${noise.shape}] and [${temperature.shape}]`,
    );
  }
}

function sizes({ shape: [groups, candidates] }: Tensor): {
  dims: Record<keyof typeof DIMS, number>;
  workgroups: number;
} {
  const dims = { groups, candidates, row_quads: quads(candidates) };
  return { dims, workgroups: Math.ceil(groups / 64) };
}

const softmaxCase = (groups: number, candidates: number, temperature: number): Case<object> => {
  const noise: Input = { shape: [groups, candidates], differentiable: false };
  const at: Input = { shape: [1], sample: () => temperature, differentiable: false };
  return { inputs: [[groups, candidates], noise, at], attributes: {} };
};

/**
 * `gumbelSoftmax(theta, noise, temperature)`: softmax((theta + noise) / temperature) over the
 * candidates of each group. theta and noise `[groups, candidates]`, temperature `[1]`, above 0. The
 * gradient is that of theta (Jang et al., arXiv 1611.01144).
 */
export const gumbelSoftmax: Op = {
  name: "gumbel softmax",
  forward: (trace, inputs) => {
    check(inputs);
    const [theta, noise, temperature] = inputs;
    const gates = trace.tensor("gates", theta.shape);
    const reads = { theta, noise, temperature };
    trace.run(forward, { reads, writes: { gates }, ...sizes(theta) });
    return [gates];
  },
  vjp: (trace, { inputs: [theta, , temperature], outputs: [gates] }, dy) => {
    const dtheta = trace.tensor("dtheta", theta.shape);
    const reads = { gates, dy, temperature };
    trace.run(backward, { reads, writes: { dtheta }, ...sizes(theta) });
    return [dtheta, null, null];
  },
  reference: (inputs) => {
    check(inputs);
    const [{ shape, data }, noise, temperature] = inputs;
    const [groups, candidates] = shape;
    const gates = new Float64Array(data.length);
    for (let g = 0; g < groups; g++) {
      const row = (values: Float64Array) => values.subarray(g * candidates, (g + 1) * candidates);
      const draws = row(noise.data);
      const z = row(data).map((value, i) => (value + draws[i]) / temperature.data[0]);
      const high = z.reduce((a, b) => Math.max(a, b));
      const powers = z.map((value) => Math.exp(value - high));
      const sum = powers.reduce((a, b) => a + b);
      gates.set(powers.map((p) => p / sum), g * candidates);
    }
    return [{ shape, data: gates }];
  },
  cases: [
    softmaxCase(1, 1, 1),
    softmaxCase(5, 3, 5),
    softmaxCase(67, 4, 0.7),
    softmaxCase(3, 7, 15),
  ],
};
