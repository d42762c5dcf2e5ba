import { defineKernel } from "../gpu/kernel.ts";
import { meanIterations } from "./mean_loss.ts";
import type { Case, Op, Values } from "../op.ts";
import {
  eachQuad,
  eachRow,
  type LogitRows,
  logitRowsOf,
  overLanes,
  rowIterations,
  rowWorkgroups,
} from "./logit_rows.ts";
import {
  checkLogits,
  checkVector,
  CLASSES,
  logSoftmax,
  NORM_LOOPS,
  normOf,
  type Typed,
} from "./softmax.ts";

const addKernel = defineKernel({
  name: "accumulate",
  workgroupSize: 4,
  reads: { parts: "channel" },
  writes: { sums: "f32" },
  dims: {},
  wgsl: /* wgsl */ `
fn main(workgroup: u32, lane: u32) { sums[lane] += parts(workgroup)[lane]; }`,
});

function checkSums([sums, parts]: readonly Typed[]): void {
  checkVector("accumulate", "sums", 4, sums);
  checkVector("accumulate", "parts", 4, parts);
}

/**
 * `accumulate(sums, parts)` adds the parts `[4]` of a loss to the sums `[4]`, in place. The last
 * part is 1, so that the last sum counts the steps.
 */
export const accumulate: Op = {
  name: "accumulate",
  forward: (trace, inputs) => {
    checkSums(inputs);
    const [sums, parts] = inputs;
    trace.run(addKernel, { reads: { parts }, writes: { sums }, dims: {}, workgroups: 1 });
    return [sums];
  },
  vjp: "none",
  reference: (inputs) => {
    checkSums(inputs);
    const [sums, parts] = inputs;
    return [{ shape: [4], data: sums.data.map((sum, i) => sum + parts.data[i]) }];
  },
  cases: [{ inputs: [[4], [4]], attributes: {} }],
};

// The rank of a label is the number of classes before it: those with a larger logit, or with the
// same and a lower index. A label whose logit is NaN comes last: a diverged network is never right.
const rowsKernel = (rows: LogitRows) =>
  defineKernel({
    name: `count correct rows${rows.shares > 1 ? ", shared" : ""}`,
    workgroupSize: rows.lanes,
    reads: { logits: "small", labels: "u32" },
    writes: { rows: "bulk" },
    dims: { batch: "u32", classes: "u32" },
    wgsl: /* wgsl */ `
${CLASSES}
${overLanes(rows)}
${normOf("logits", rows)}
${
      eachRow(
        rows,
        `let is_row = labels[row] < dims.classes;
  let label = min(labels[row], dims.classes - 1u);
  let start = row * row_quads();
  let own_quad = logits(start + label / 4u);
  let own = own_quad[label & 3u];
  var before = vec4f();
  ${eachQuad(rows)} {
    let x = logits(start + quad);
    let behind = (x < vec4f(own)) | ((x == vec4f(own)) & (class_of(quad) >= vec4u(label)));
    before += select(vec4f(), vec4f(1.0), !behind & is_class(quad));
  }
  before = sum_over_lanes(before);
  let rank = (before.x + before.y) + (before.z + before.w);
  let norm = logits_norm(row);
  let surprise = norm.y - (own - norm.x);
  let counted = vec4f(1.0, select(0.0, 1.0, rank < 1.0), select(0.0, 1.0, rank < 5.0), surprise);
  if (share == 0u) { set_rows(row, select(vec4f(), counted, is_row)); }`,
      )
    }`,
    iterations: ({ classes }) => rowIterations(rows, classes, NORM_LOOPS + 1),
  });

const countKernel = defineKernel({
  name: "count correct",
  workgroupSize: 64,
  reads: { rows: "small" },
  writes: { counters: "f32" },
  dims: { batch: "u32" },
  wgsl: /* wgsl */ `
var<workgroup> sums: array<vec4f, 64>;
fn main(workgroup: u32, lane: u32) {
  var sum = vec4f();
  for (var row = lane; row < dims.batch; row += 64u) { sum += rows(row); }
  sums[lane] = sum;
  workgroupBarrier();
  if (lane == 0u) {
    for (var i = 1u; i < 64u; i++) { sum += sums[i]; }
    counters[0] += sum.x;
    counters[1] += sum.y;
    counters[2] += sum.z;
    counters[3] += sum.w;
  }
}`,
  iterations: meanIterations,
});

function checkCounted([logits, labels, counters]: readonly Typed[]): void {
  checkLogits("count correct", [logits], labels);
  checkVector("count correct", "counters", 4, counters);
}

function countReference([logits, labels, counters]: readonly Values[]): Values {
  const [, classes] = logits.shape;
  const logp = logSoftmax(logits);
  const data = counters.data.slice();
  labels.data.forEach((label, n) => {
    if (label >= classes) return;
    const row = logits.data.subarray(n * classes, (n + 1) * classes);
    const own = row[label];
    const rank = row.filter((x, c) => !(x < own || x === own && c >= label)).length;
    data[0] += 1;
    data[1] += rank < 1 ? 1 : 0;
    data[2] += rank < 5 ? 1 : 0;
    data[3] -= logp[n * classes + label];
  });
  return { shape: [4], data };
}

/** Logits of few different values, so that there are ties; every fifth label is no class. */
const example = (batch: number, classes: number): Case<object> => ({
  inputs: [
    { shape: [batch, classes], sample: (normal) => Math.round(normal() * 4) / 4 },
    {
      shape: [batch],
      type: "u32",
      sample: (normal, i) =>
        i % 5 === 4 ? classes + i : Math.floor(Math.abs(normal()) * 1e4) % classes,
    },
    { shape: [4], sample: (_, i) => [640, 320, 512, 700.5][i] },
  ],
  attributes: {},
});

/**
 * `countCorrect(logits, labels, counters)`: logits `[batch, classes]`, labels `[batch]` of type
 * u32. Adds to the counters `[4]`, in place: rows, rows whose label has the largest logit, rows
 * whose label is among the five largest, and Σ -log softmax(logits)[label]. Of equal logits that of
 * the lower index counts as larger. A row whose label is no class, such as the padding of a last
 * batch, is ignored.
 */
export const countCorrect: Op = {
  name: "count correct",
  forward: (trace, inputs) => {
    checkCounted(inputs);
    const [logits, labels, counters] = inputs;
    const [batch, classes] = logits.shape;
    const rows = trace.tensor("counted rows", [batch, 4]);
    const divided = logitRowsOf(classes);
    trace.run(rowsKernel(divided), {
      reads: { logits, labels },
      writes: { rows },
      dims: { batch, classes },
      workgroups: rowWorkgroups(divided, batch),
    });
    trace.run(countKernel, {
      reads: { rows },
      writes: { counters },
      dims: { batch },
      workgroups: 1,
    });
    return [counters];
  },
  vjp: "none",
  reference: (inputs) => {
    checkCounted(inputs);
    return [countReference(inputs)];
  },
  cases: [
    example(1, 1),
    example(1, 2),
    example(7, 4),
    example(65, 10),
    example(131, 11),
    example(13, 100),
    example(9, 1000),
    example(7, 4097),
  ],
};
