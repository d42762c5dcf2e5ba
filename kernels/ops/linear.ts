import { inputGradient, recordForward } from "../conv/convolution.ts";
import type { Geometry, Shaped } from "../wgsl/geometry.ts";
import { weightGradient } from "../conv/weight_gradient.ts";
import { defineKernel } from "../gpu/kernel.ts";
import type { Gradient, Input, Op, Values } from "../op.ts";
import { recordRowSums } from "./row_sums.ts";
import { quads, type Tensor } from "../gpu/tensor.ts";
import type { Trace } from "../program/trace.ts";

/** Attributes of a linear layer. */
export interface LinearAttributes {
  /** Whether x may have fewer features than w has rows: then only the first rows are used. */
  readonly prefix: boolean;
}

const addBias = defineKernel({
  name: "bias",
  workgroupSize: 64,
  reads: { xw: "bulk", b: "bulk" },
  writes: { y: "bulk" },
  dims: { quads: "u32", row_quads: "u32" },
  wgsl: /* wgsl */ `
fn main(workgroup: u32, lane: u32) {
  let i = workgroup * 64u + lane;
  if (i < dims.quads) { set_y(i, xw(i) + b(i % dims.row_quads)); }
}`,
});

/** Rows from which on they are added up in parts. */
const MANY_ROWS = 16384;

/** db_o = Σ_n dy_no, four channels per invocation; four sums hide the latency of the loads. */
const biasGradient = (accumulate: boolean) =>
  defineKernel({
    name: `bias gradient${accumulate ? ", added" : ""}`,
    workgroupSize: 16,
    reads: { dy: "bulk" },
    writes: { db: accumulate ? "update" : "bulk" },
    dims: { batch: "u32", row_quads: "u32" },
    wgsl: /* wgsl */ `
fn main(workgroup: u32, lane: u32) {
  let quad = workgroup * 16u + lane;
  if (quad >= dims.row_quads) { return; }
  var s0 = vec4f();
  var s1 = vec4f();
  var s2 = vec4f();
  var s3 = vec4f();
  let whole = dims.batch - dims.batch % 4u;
  var at = quad;
  for (var n = 0u; n < whole; n += 4u) {
    s0 += dy(at);
    s1 += dy(at + dims.row_quads);
    s2 += dy(at + 2u * dims.row_quads);
    s3 += dy(at + 3u * dims.row_quads);
    at += 4u * dims.row_quads;
  }
  for (var n = whole; n < dims.batch; n++) {
    s0 += dy(at);
    at += dims.row_quads;
  }
  let sum = (s0 + s1) + (s2 + s3);
  set_db(quad, sum${accumulate ? " + db(quad)" : ""});
}`,
    iterations: ({ batch }) => Math.floor(batch / 4) + batch % 4 + 2,
  });

/** A linear layer is a 1x1 convolution of images of one pixel. */
function linearGeometry(x: Shaped, w: Shaped, b: Shaped, { prefix }: LinearAttributes): Geometry {
  if (x.shape.length !== 2 || w.shape.length !== 2) {
    throw new TypeError(
      `Cannot apply linear: wanted an input [batch, features] and a weight [inputs, outputs], ` +
        `found [${x.shape}] and [${w.shape}]`,
    );
  }
  const [batch, features] = x.shape;
  const [inputs, outputs] = w.shape;
  if (!prefix && features !== inputs) {
    throw new TypeError(
      `Cannot apply linear as the weight has ${inputs} inputs: the input has ${features}`,
    );
  }
  if (features > inputs) {
    throw new TypeError(
      `Cannot apply linear to a prefix of the inputs as the weight has ${inputs} of them: ` +
        `the input has ${features}; it takes as many or fewer`,
    );
  }
  if (b.shape.length !== 1 || b.shape[0] !== outputs) {
    throw new TypeError(
      `Cannot apply linear as the weight has ${outputs} outputs: wanted a bias [${outputs}], ` +
        `found [${b.shape}]`,
    );
  }
  return {
    name: "linear",
    batch,
    height: 1,
    width: 1,
    keepIn: features,
    keepOut: outputs,
    kernelHeight: 1,
    kernelWidth: 1,
    filterIn: inputs,
    filterOut: outputs,
    groups: 1,
    stride: [1, 1],
    padding: [0, 0],
    dilation: [1, 1],
    outHeight: 1,
    outWidth: 1,
    tapBits: { taps_low: 1, taps_high: 0 },
  };
}

function forward(trace: Trace, g: Geometry, [x, w, b]: readonly Tensor[]): Tensor[] {
  const xw = trace.tensor("linear product", [g.batch, g.keepOut]);
  recordForward(trace, g, { x, w, y: xw });
  const y = trace.tensor("linear", [g.batch, g.keepOut]);
  trace.run(addBias, {
    reads: { xw, b },
    writes: { y },
    dims: { quads: y.quads, row_quads: quads(g.keepOut) },
    workgroups: Math.ceil(y.quads / 64),
  });
  return [y];
}

function sumOfRows(trace: Trace, g: Geometry, dy: Tensor): Gradient {
  const rowQuads = quads(g.keepOut);
  return {
    complete: true,
    write: (into, accumulate) => {
      const few = g.batch <= MANY_ROWS;
      const rows = few ? dy : trace.tensor("bias gradient, summed", [1, g.keepOut]);
      if (!few) recordRowSums(trace, dy, rows, { rows: g.batch, factor: 1 });
      trace.run(biasGradient(accumulate), {
        reads: { dy: rows },
        writes: { db: into },
        dims: { batch: few ? g.batch : 1, row_quads: rowQuads },
        workgroups: Math.ceil(rowQuads / 16),
      });
    },
  };
}

/** y_no = b_o + Σ_f x_nf w_fo. */
function reference(g: Geometry, [x, w, b]: readonly Values[]): Values {
  const data = new Float64Array(g.batch * g.keepOut);
  for (let n = 0; n < g.batch; n++) {
    for (let o = 0; o < g.keepOut; o++) {
      let sum = b.data[o];
      for (let f = 0; f < g.keepIn; f++) {
        sum += x.data[n * g.keepIn + f] * w.data[f * g.filterOut + o];
      }
      data[n * g.keepOut + o] = sum;
    }
  }
  return { shape: [g.batch, g.keepOut], data };
}

const layer = (
  batch: number,
  features: number,
  inputs: number,
  outputs: number,
): (Input | readonly number[])[] => [[batch, features], [inputs, outputs], [outputs]];

/**
 * `linear(x, w, b)` is x w + b: x `[batch, inputs]`, w `[inputs, outputs]`, b `[outputs]`. With
 * `prefix`, x may have fewer features than w has rows; the classifier of the small network uses
 * the first rows alone, and its gradient is zero in the others.
 * Raises a `TypeError` when features, weight and bias do not fit.
 */
export const linear: Op<LinearAttributes> = {
  name: "linear",
  forward: (trace, inputs, attributes) => {
    const [x, w, b] = inputs;
    return forward(trace, linearGeometry(x, w, b, attributes), inputs);
  },
  vjp: (trace, { inputs: [x, w, b], attributes, wanted }, dy) => {
    const g = linearGeometry(x, w, b, attributes);
    return [
      wanted[0] ? inputGradient(trace, g, dy, w) : null,
      wanted[1] ? weightGradient(trace, g, { x, dy }) : null,
      wanted[2] ? sumOfRows(trace, g, dy) : null,
    ];
  },
  reference: (inputs, attributes) => {
    const [x, w, b] = inputs;
    return [reference(linearGeometry(x, w, b, attributes), inputs)];
  },
  cases: [
    { inputs: layer(1, 1, 1, 1), attributes: { prefix: false } },
    { inputs: layer(5, 13, 13, 7), attributes: { prefix: false } },
    { inputs: layer(1, 65, 65, 2), attributes: { prefix: false } },
    { inputs: layer(131, 63, 63, 10), attributes: { prefix: false } },
    { inputs: layer(17, 64, 64, 101), attributes: { prefix: false } },
    { inputs: layer(3, 36, 36, 1000), attributes: { prefix: false } },
    { inputs: layer(7, 16, 64, 11), attributes: { prefix: true } },
    { inputs: layer(6, 9, 37, 100), attributes: { prefix: true } },
    { inputs: layer(2, 1, 65, 1), attributes: { prefix: true } },
    { inputs: layer(4, 12, 12, 5), attributes: { prefix: true } },
  ],
};
