import { LANES } from "../wgsl/elementwise.ts";
import { defineKernel } from "../gpu/kernel.ts";
import { quads, type Tensor } from "../gpu/tensor.ts";
import { recordRowSums } from "./row_sums.ts";
import type { Trace } from "../program/trace.ts";

// y[n, split] = Σ of a · b over the `chunk` pixels of image n from pixel split · chunk on.
const products = defineKernel({
  name: "sums of products over images",
  workgroupSize: LANES,
  reads: { a: "bulk", b: "bulk" },
  writes: { y: "bulk" },
  dims: { images: "u32", pixels: "u32", chunk: "u32", splits: "u32", channel_quads: "u32" },
  wgsl: /* wgsl */ `
fn main(workgroup: u32, lane: u32) {
  let i = workgroup * ${LANES}u + lane;
  let part = i / dims.channel_quads;
  let c = i - part * dims.channel_quads;
  let image = part / dims.splits;
  if (image >= dims.images) { return; }
  let first = (part - image * dims.splits) * dims.chunk;
  let end = min(first + dims.chunk, dims.pixels);
  var sum = vec4f();
  for (var p = first; p < end; p++) {
    let at = (image * dims.pixels + p) * dims.channel_quads + c;
    sum = fma(a(at), b(at), sum);
  }
  set_y(i, sum);
}`,
  iterations: ({ chunk }) => chunk + 1,
});

/**
 * Records the sums of a · b, both `[images, height, width, channels]`, over the pixels of each image
 * into y, `[images, 1, 1, channels]`: first over runs of pixels, short enough to keep all invocations
 * busy, then over these.
 */
export function recordImageSums(trace: Trace, a: Tensor, b: Tensor, y: Tensor): void {
  const [images, height, width, channels] = a.shape;
  const pixels = height * width;
  const chunk = Math.min(256, Math.max(16, Math.ceil(a.quads / trace.gpu.preset.invocations)));
  const splits = Math.ceil(pixels / chunk);
  const to = splits === 1 ? y : trace.tensor(`${y.name} parts`, [images, splits, channels]);
  trace.run(products, {
    reads: { a, b },
    writes: { y: to },
    dims: { images, pixels, chunk, splits, channel_quads: quads(channels) },
    workgroups: Math.ceil(images * splits * quads(channels) / LANES),
  });
  if (to !== y) recordRowSums(trace, to, y, { rows: splits, factor: 1 });
}
