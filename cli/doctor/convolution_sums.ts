import { operandShapes, RESULT } from "../../kernels/conv/record_work.ts";
import type { Work } from "../../kernels/conv/work.ts";
import { elements } from "../../kernels/gpu/tensor.ts";
import type { Geometry } from "../../kernels/wgsl/geometry.ts";

/** Float64 operands of a convolution. */
export type Operands = Readonly<Record<"x" | "w" | "y", Float64Array>>;

/**
 * The result of a convolution or of one of its gradients in float64: y = Σ x w, and as each product
 * x w counts once in y, dx = Σ w dy and dw = Σ x dy run over the same products.
 */
export function convolutionSums({ direction, geometry }: Work, of: Operands): Float64Array {
  const result = RESULT[direction];
  const sums = new Float64Array(elements(operandShapes(geometry)[result]));
  const { x, w, y }: Operands = { ...of, ...{ [result]: sums } };
  eachRow(geometry, (i, j, k, count) => {
    for (let o = 0; o < count; o++) {
      if (result === "y") y[k + o] += x[i] * w[j + o];
      else if (result === "x") x[i] += w[j + o] * y[k + o];
      else w[j + o] += x[i] * y[k + o];
    }
  });
  return sums;
}

/**
 * Calls `row` with indices into x, w and y, for each input with each tap: there, `count` filters one
 * behind the other have a product.
 */
function eachRow(
  g: Geometry,
  row: (x: number, w: number, y: number, count: number) => void,
): void {
  const count = g.keepOut / g.groups;
  for (let at = 0; at < g.batch * g.outHeight * g.outWidth; at++) {
    const [image, oy, ox] = [
      Math.floor(at / (g.outHeight * g.outWidth)),
      Math.floor(at / g.outWidth) % g.outHeight,
      at % g.outWidth,
    ];
    for (let tap = 0; tap < g.kernelHeight * g.kernelWidth; tap++) {
      const iy = oy * g.stride[0] + Math.floor(tap / g.kernelWidth) * g.dilation[0] - g.padding[0];
      const ix = ox * g.stride[1] + tap % g.kernelWidth * g.dilation[1] - g.padding[1];
      if (iy < 0 || ix < 0 || iy >= g.height || ix >= g.width) continue;
      const pixel = ((image * g.height + iy) * g.width + ix) * g.keepIn;
      for (let channel = 0; channel < g.keepIn; channel++) {
        const group = Math.floor(channel / g.filterIn);
        const input = tap * g.filterIn + channel % g.filterIn;
        const first = group * count;
        row(pixel + channel, input * g.filterOut + first, at * g.keepOut + first, count);
      }
    }
  }
}
