import { reductionPresets } from "../wgsl/reduction_preset.ts";
import { range, unroll } from "../wgsl/blocked.ts";
import { elementwise, LANES, spread } from "../wgsl/elementwise.ts";
import { defineKernel, type Kernel } from "../gpu/kernel.ts";
import type { Case, Gradient, Op, Values } from "../op.ts";
import { recordProductSums } from "./product_sums.ts";
import { quads, type Tensor } from "../gpu/tensor.ts";
import type { Trace } from "../program/trace.ts";

/** The most candidates that a group may have. */
export const MAX_CANDIDATES = 8;

/** Attributes of a gate on channels. */
export interface GateChannelsAttributes {
  /** The row of the gates that is applied. */
  readonly group: number;
  /** The number of channels that each candidate lets through. */
  readonly widths: readonly number[];
}

type WidthDims = `width_${number}`;

const CANDIDATES = range(MAX_CANDIDATES);
const WIDTH_DIMS = Object.fromEntries(CANDIDATES.map((i) => [`width_${i}`, "u32"])) as Record<
  WidthDims,
  "u32"
>;

const GATE = (i: number): string => `gates(dims.first_gate + ${i >> 2}u)[${i & 3}]`;

// m_c = Σ_i gate_i [c < width_i]
const gate = elementwise<"x" | "gates", WidthDims | "first_gate">({
  name: "gate channels",
  reads: { x: "bulk", gates: "channel" },
  dims: { ...WIDTH_DIMS, first_gate: "u32" },
  once: `let channel = vec4u(c * 4u) + vec4u(0u, 1u, 2u, 3u);
  var mask = vec4f();
  ${
    unroll(
      MAX_CANDIDATES,
      (i) => `mask += select(vec4f(), vec4f(${GATE(i)}), channel < vec4u(dims.width_${i}));`,
    )
  }`,
  value: (at) => `mask * x(${at})`,
});

// dgate_i = Σ_(c < width_i) Σ x·dy, by one workgroup: the sums left are few.
function gateGradient(accumulate: boolean): Kernel<"part", "dgates", string> {
  const one = (i: number): string => `
  totals[lane] = sum${i};
  workgroupBarrier();
  if (lane == 0u) {
    var total = 0.0;
    for (var k = 0u; k < ${LANES}u; k++) { total += totals[k]; }
    if (${i}u < dims.candidates) {
      ${accumulate ? `dgates[dims.first + ${i}u] += total;` : `dgates[dims.first + ${i}u] = total;`}
    }
  }
  workgroupBarrier();`;
  return defineKernel<"part", "dgates", string>({
    name: `gate gradient${accumulate ? ", added" : ""}`,
    workgroupSize: LANES,
    reads: { part: "small" },
    writes: { dgates: "f32" },
    dims: { ...WIDTH_DIMS, first: "u32", candidates: "u32", parts: "u32", channel_quads: "u32" },
    wgsl: /* wgsl */ `
var<workgroup> totals: array<f32, ${LANES}>;
fn main(workgroup: u32, lane: u32) {
  ${unroll(MAX_CANDIDATES, (i) => `var sum${i} = 0.0;`)}
  for (var at = lane; at < dims.parts * dims.channel_quads; at += ${LANES}u) {
    let channel = vec4u((at % dims.channel_quads) * 4u) + vec4u(0u, 1u, 2u, 3u);
    let v = part(at);
    ${
      unroll(
        MAX_CANDIDATES,
        (i) => `sum${i} += dot(v, select(vec4f(), vec4f(1.0), channel < vec4u(dims.width_${i})));`,
      )
    }
  }
  ${CANDIDATES.map(one).join("")}
}`,
    iterations: ({ parts, channel_quads }) =>
      Math.ceil(parts * channel_quads / LANES) + 1 + MAX_CANDIDATES * (LANES + 1),
  });
}

function widthDims({ widths }: GateChannelsAttributes): Record<WidthDims, number> {
  return Object.fromEntries(CANDIDATES.map((i) => [`width_${i}`, widths[i] ?? 0]));
}

function check(
  x: Tensor | Values,
  gates: Tensor | Values,
  { group, widths }: GateChannelsAttributes,
): void {
  const [groups, candidates] = gates.shape;
  if (gates.shape.length !== 2 || candidates !== widths.length || candidates > MAX_CANDIDATES) {
    throw new TypeError(
      `Cannot apply gate channels: wanted gates [groups, candidates] with a candidate for each of ` +
        `${widths.length} widths, at most ${MAX_CANDIDATES}, found [${gates.shape}]`,
    );
  }
  const channels = x.shape.at(-1) ?? 0;
  const bad = widths.find((width) => !(Number.isInteger(width) && width >= 0 && width <= channels));
  if (bad !== undefined) {
    throw new RangeError(
      `Cannot apply gate channels: widths are from 0 to ${channels}, the channels, found ${bad}`,
    );
  }
  if (!(Number.isInteger(group) && group >= 0 && group < groups)) {
    throw new RangeError(
      `Cannot apply gate channels: wanted a group from 0 to ${groups - 1}, found ${group}`,
    );
  }
}

function recordGate(
  trace: Trace,
  x: Tensor,
  gates: Tensor,
  attributes: GateChannelsAttributes,
): Tensor {
  const y = trace.tensor("gated", x.shape);
  const { dims, workgroups } = spread(x);
  const first_gate = attributes.group * quads(gates.shape[1]);
  trace.run(gate, {
    reads: { x, gates },
    writes: { y },
    dims: { ...dims, ...widthDims(attributes), first_gate },
    workgroups,
  });
  return y;
}

function gatesGradient(
  trace: Trace,
  { x, gates, dy }: Record<"x" | "gates" | "dy", Tensor>,
  attributes: GateChannelsAttributes,
): Gradient {
  // One workgroup does the rest.
  const part = recordProductSums(trace, x, dy, reductionPresets.of(trace.gpu).partialSums);
  const [, parts] = part.shape;
  const candidates = gates.shape[1];
  const dims = {
    ...widthDims(attributes),
    first: attributes.group * quads(candidates) * 4,
    candidates,
    parts,
    channel_quads: part.quads / parts,
  };
  return {
    complete: false,
    write: (into, accumulate) =>
      trace.run(gateGradient(accumulate), {
        reads: { part },
        writes: { dgates: into },
        dims,
        workgroups: 1,
      }),
  };
}

const on = (
  shape: readonly number[],
  groups: number,
  attributes: GateChannelsAttributes,
): Case<GateChannelsAttributes> => ({
  inputs: [shape, [groups, attributes.widths.length]],
  attributes,
});

/**
 * `gateChannels(x, gates)`: a soft choice between the widths of one group, `x_c · Σ_i gate_i
 * [c < widths_i]`. x of any shape with channels last, gates `[groups, candidates]`. With a single
 * gate at 1 it is the mask of that width. `gateEachChannel` does it for channels of several groups.
 */
export const gateChannels: Op<GateChannelsAttributes> = {
  name: "gate channels",
  forward: (trace, [x, gates], attributes) => {
    check(x, gates, attributes);
    return [recordGate(trace, x, gates, attributes)];
  },
  vjp: (trace, { inputs: [x, gates], attributes, wanted }, dy) => [
    wanted[0] ? recordGate(trace, dy, gates, attributes) : null,
    wanted[1] ? gatesGradient(trace, { x, gates, dy }, attributes) : null,
  ],
  reference: ([x, gates], attributes) => {
    check(x, gates, attributes);
    const { group, widths } = attributes;
    const channels = x.shape.at(-1) ?? 1;
    const mask = Float64Array.from({ length: channels }, (_, c) =>
      widths.reduce(
        (sum, width, i) => sum + (c < width ? gates.data[group * widths.length + i] : 0),
        0,
      ));
    return [{ shape: x.shape, data: x.data.map((value, i) => value * mask[i % channels]) }];
  },
  cases: [
    on([1], 1, { group: 0, widths: [1] }),
    on([2, 3, 3, 12], 4, { group: 2, widths: [12, 6, 3] }),
    on([1, 7, 5, 65], 3, { group: 0, widths: [65, 32, 16, 8, 4] }),
    on([5, 20], 2, { group: 1, widths: [20, 10, 5, 0, 7, 7, 1, 3] }),
    on([3, 33, 31, 5], 1, { group: 0, widths: [5, 2, 1] }),
  ],
};
