import { reductionPresets } from "../wgsl/reduction_preset.ts";
import { range, unroll } from "../wgsl/blocked.ts";
import { elementwise, LANES, spread } from "../wgsl/elementwise.ts";
import { defineKernel, type Kernel } from "../gpu/kernel.ts";
import type { Case, Gradient, Op } from "../op.ts";
import { MAX_CANDIDATES } from "./gate_channels.ts";
import { recordProductSums } from "./product_sums.ts";
import { quads, type Tensor } from "../gpu/tensor.ts";
import type { Shaped } from "../wgsl/geometry.ts";
import type { Trace } from "../program/trace.ts";

/** Attributes of a gate on each channel. */
export interface GateEachChannelAttributes {
  /** By channel: the row of the gates that is applied; -1 for one that is always let through. */
  readonly groups: readonly number[];
  /** By channel: bit i says whether candidate i lets it through. */
  readonly candidates: readonly number[];
}

/** Bits of a word of the table that say which candidates let a channel through; the rest is its row. */
const BITS = MAX_CANDIDATES;

/** The word of a channel that is always let through. */
const ALWAYS = 2 ** 32 - 1;

// m_c = Σ_i gate_(g_c, i) [candidate i lets c through]
const gate = elementwise<"x" | "gates" | "table", "channels" | "gate_quads">({
  name: "gate each channel",
  reads: { x: "bulk", gates: "small", table: "u32" },
  dims: { channels: "u32", gate_quads: "u32" },
  functions: /* wgsl */ `
fn mask_of(channel: u32) -> f32 {
  let word = table[min(channel, dims.channels - 1u)];
  if (word == ${ALWAYS}u) { return 1.0; }
  let first = (word >> ${BITS}u) * dims.gate_quads;
  let low = gates(first);
  let high = gates(first + dims.gate_quads - 1u);
  var mask = 0.0;
  ${
    unroll(MAX_CANDIDATES, (i) =>
      `mask += select(0.0, ${i < 4 ? "low" : "high"}[${i & 3}], (word & ${1 << i}u) != 0u);`)
  }
  return mask;
}`,
  once: `let channel = c * 4u;
  let mask = vec4f(
    mask_of(channel), mask_of(channel + 1u), mask_of(channel + 2u), mask_of(channel + 3u),
  );`,
  value: (at) => `mask * x(${at})`,
});

// dgate_(g, i) = Σ_(c of group g, let through by i) Σ x·dy, by one workgroup for each of the groups.
// `spans` are the row of a group, and where its words begin and end.
function gateGradient(accumulate: boolean): Kernel<"part" | "words" | "spans", "dgates", string> {
  const one = (i: number): string => `
  totals[lane] = sum${i};
  workgroupBarrier();
  if (lane == 0u && ${i}u < dims.candidates) {
    var total = 0.0;
    for (var k = 0u; k < ${LANES}u; k++) { total += totals[k]; }
    ${accumulate ? `dgates[into + ${i}u] += total;` : `dgates[into + ${i}u] = total;`}
  }
  workgroupBarrier();`;
  return defineKernel<"part" | "words" | "spans", "dgates", string>({
    name: `gates of channels gradient${accumulate ? ", added" : ""}`,
    workgroupSize: LANES,
    reads: { part: "small", words: "u32", spans: "u32" },
    writes: { dgates: "f32" },
    dims: {
      ...{ candidates: "u32", gate_words: "u32", parts: "u32", channel_quads: "u32", most: "u32" },
    },
    wgsl: /* wgsl */ `
var<workgroup> totals: array<f32, ${LANES}>;
fn main(workgroup: u32, lane: u32) {
  let into = spans[workgroup * 3u] * dims.gate_words;
  let end = spans[workgroup * 3u + 2u];
  ${unroll(MAX_CANDIDATES, (i) => `var sum${i} = 0.0;`)}
  for (var at = spans[workgroup * 3u + 1u] + lane; at < end; at += ${LANES}u) {
    let word = words[at];
    let channel = word >> ${BITS}u;
    var v = 0.0;
    for (var p = 0u; p < dims.parts; p++) {
      v += part(p * dims.channel_quads + (channel >> 2u))[channel & 3u];
    }
    ${
      unroll(
        MAX_CANDIDATES,
        (i) => `sum${i} += select(0.0, v, (word & ${1 << i}u) != 0u);`,
      )
    }
  }
  ${range(MAX_CANDIDATES).map(one).join("")}
}`,
    iterations: ({ most, parts }) =>
      (Math.ceil(most / LANES) + 1) * (parts + 2) + MAX_CANDIDATES * (LANES + 1),
  });
}

const GRADIENTS = [gateGradient(false), gateGradient(true)];

function check(
  x: Shaped,
  gates: Shaped,
  { groups, candidates }: GateEachChannelAttributes,
): void {
  const [rows, columns] = gates.shape;
  if (gates.shape.length !== 2 || columns > MAX_CANDIDATES) {
    throw new TypeError(
      `Cannot apply gate each channel: wanted gates [groups, candidates], at most ` +
        `${MAX_CANDIDATES} candidates, found [${gates.shape}]`,
    );
  }
  const channels = x.shape.at(-1) ?? 0;
  if (groups.length !== channels || candidates.length !== channels) {
    throw new TypeError(
      `Cannot apply gate each channel: wanted groups and candidates of ${channels} channels, found ` +
        `${groups.length} and ${candidates.length}`,
    );
  }
  const bad = groups.find((group) => !(Number.isInteger(group) && group >= -1 && group < rows));
  if (bad !== undefined) {
    throw new RangeError(
      `Cannot apply gate each channel: wanted groups from -1 to ${rows - 1}, found ${bad}`,
    );
  }
  const wild = candidates.find((bits) =>
    !(Number.isInteger(bits) && bits >= 0 && bits < 2 ** columns)
  );
  if (wild !== undefined) {
    throw new RangeError(
      `Cannot apply gate each channel: wanted candidates as bits of ${columns}, found ${wild}`,
    );
  }
}

function recordGate(
  trace: Trace,
  x: Tensor,
  gates: Tensor,
  { groups, candidates }: GateEachChannelAttributes,
): Tensor {
  const y = trace.tensor("gated", x.shape);
  const { dims, workgroups } = spread(x);
  const words = groups.map((group, c) => group < 0 ? ALWAYS : group * 2 ** BITS + candidates[c]);
  trace.run(gate, {
    reads: { x, gates, table: trace.constant("gated channels", words) },
    writes: { y },
    dims: { ...dims, channels: groups.length, gate_quads: quads(gates.shape[1]) },
    workgroups,
  });
  return y;
}

function gatesGradient(
  trace: Trace,
  { x, gates, dy }: Record<"x" | "gates" | "dy", Tensor>,
  { groups, candidates }: GateEachChannelAttributes,
): Gradient | null {
  const rows = [...new Set(groups)].filter((group) => group >= 0);
  if (!rows.length) return null;
  const members = rows.map((row) => range(groups.length).filter((c) => groups[c] === row));
  let begin = 0;
  const spans = members.flatMap(({ length }, i) => [rows[i], begin, begin += length]);
  const words = members.flat().map((c) => c * 2 ** BITS + candidates[c]);
  const part = recordProductSums(trace, x, dy, reductionPresets.of(trace.gpu).partialSums);
  const [, parts] = part.shape;
  const reads = {
    part,
    words: trace.constant("channels of groups", words),
    spans: trace.constant("spans of groups", spans),
  };
  const dims = {
    candidates: gates.shape[1],
    gate_words: quads(gates.shape[1]) * 4,
    parts,
    channel_quads: part.quads / parts,
    most: Math.max(...members.map(({ length }) => length)),
  };
  return {
    complete: false,
    write: (into, accumulate) =>
      trace.run(GRADIENTS[Number(accumulate)], {
        ...{ reads, dims },
        writes: { dgates: into },
        workgroups: rows.length,
      }),
  };
}

const on = (
  shape: readonly number[],
  gates: readonly number[],
  attributes: GateEachChannelAttributes,
): Case<GateEachChannelAttributes> => ({ inputs: [shape, gates], attributes });

const CANDIDATES_OF_65 = range(65).map((c) => c * 37 % 256);

/**
 * `gateEachChannel(x, gates)`: a soft choice between widths of several groups, `x_c · Σ_i
 * gate_(g_c, i) [candidate i lets c through]`. x of any shape with channels last, gates
 * `[groups, candidates]`. Where all channels are the first ones of one group, `gateChannels` is the
 * same and faster.
 */
export const gateEachChannel: Op<GateEachChannelAttributes> = {
  name: "gate each channel",
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
    const { groups, candidates } = attributes;
    const columns = gates.shape[1];
    const mask = groups.map((group, c) =>
      group < 0 ? 1 : range(columns).reduce(
        (sum, i) => sum + (candidates[c] >> i & 1) * gates.data[group * columns + i],
        0,
      )
    );
    return [{ shape: x.shape, data: x.data.map((value, i) => value * mask[i % mask.length]) }];
  },
  cases: [
    on([1], [1, 1], { groups: [0], candidates: [1] }),
    on([2, 3, 3, 7], [3, 2], {
      groups: [2, -1, 0, 0, 2, 2, -1],
      candidates: [3, 0, 1, 2, 1, 0, 3],
    }),
    on([1, 7, 5, 65], [4, 8], {
      groups: range(65).map((c) => c % 5 - 1),
      candidates: CANDIDATES_OF_65,
    }),
    on([3, 33, 31, 6], [2, 5], { groups: [1, 1, 0, 1, 0, 0], candidates: [31, 7, 16, 1, 9, 0] }),
    on([5, 130], [1, 3], {
      groups: range(130).map(() => 0),
      candidates: range(130).map((c) => c % 8),
    }),
  ],
};
