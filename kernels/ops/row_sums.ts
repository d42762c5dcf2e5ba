import { LANES } from "../wgsl/elementwise.ts";
import { defineKernel } from "../gpu/kernel.ts";
import { quads, type Tensor } from "../gpu/tensor.ts";
import type { Trace } from "../program/trace.ts";

/** The most rows that one invocation adds up. */
const CHUNK = 256;

// y[n, split] = factor · Σ of the `chunk` rows of x[n] from row split · chunk on.
const sumRows = defineKernel({
  name: "global avg pool2d",
  workgroupSize: LANES,
  reads: { x: "bulk" },
  writes: { y: "bulk" },
  dims: {
    images: "u32",
    rows: "u32",
    chunk: "u32",
    splits: "u32",
    channel_quads: "u32",
    factor: "f32",
  },
  wgsl: /* wgsl */ `
fn main(workgroup: u32, lane: u32) {
  let i = workgroup * ${LANES}u + lane;
  let part = i / dims.channel_quads;
  let c = i - part * dims.channel_quads;
  let image = part / dims.splits;
  if (image >= dims.images) { return; }
  let first = (part - image * dims.splits) * dims.chunk;
  let end = min(first + dims.chunk, dims.rows);
  var sum = vec4f();
  for (var row = first; row < end; row++) {
    sum += x((image * dims.rows + row) * dims.channel_quads + c);
  }
  set_y(i, sum * dims.factor);
}`,
  iterations: ({ chunk }) => chunk + 1,
});

/**
 * Records `factor` times the sums over the rows of x, `[images, rows, channels]`, into y, `[images,
 * channels]`: {@link CHUNK} rows at a time, whose sums are rows again.
 */
export function recordRowSums(
  trace: Trace,
  x: Tensor,
  y: Tensor,
  { rows, factor }: { rows: number; factor: number },
): void {
  const images = y.shape.length === 1 ? 1 : y.shape[0];
  const channels = y.shape.at(-1) ?? 1;
  const channel_quads = quads(channels);
  const splits = Math.ceil(rows / CHUNK);
  const last = splits === 1;
  const to = last ? y : trace.tensor(`${y.name} parts`, [images, splits, channels]);
  trace.run(sumRows, {
    reads: { x },
    writes: { y: to },
    dims: {
      images,
      rows,
      chunk: Math.ceil(rows / splits),
      splits,
      channel_quads,
      factor: last ? factor : 1,
    },
    workgroups: Math.ceil(images * splits * channel_quads / LANES),
  });
  if (!last) recordRowSums(trace, to, y, { rows: splits, factor });
}
