import { gatheredProduct } from "./gathered_product.ts";
import type { Gradient } from "./op.ts";
import type { Preset } from "./preset.ts";
import { quads, type Tensor } from "./tensor.ts";
import type { Trace } from "./trace.ts";
import { sumParts, weightGradient } from "./weight_gradient.ts";

/** The width of a block, in vec4: the one that wastes least of loads (20) and multiply-adds (5). */
function columnsFor(count: number, { rows, columns }: Preset): number {
  let best = 1;
  let least = Infinity;
  for (let width = 1; width <= columns; width++) {
    const cost = Math.ceil(count / width) * ((rows + 4 * width) * 20 + rows * width * 5);
    if (cost < least) [best, least] = [width, cost];
  }
  return best;
}

interface Gather {
  readonly form: "outer" | "inner";
  readonly x: Tensor;
  readonly w: Tensor;
  readonly y: Tensor;
  /** Height, width and channels of x, and of y. */
  readonly from: readonly [number, number, number];
  readonly to: readonly [number, number, number];
  readonly gridHeight: number;
  readonly gridWidth: number;
  readonly dims: Readonly<
    Record<
      | "scale"
      | "offset_y"
      | "offset_x"
      | "step"
      | "taps_y"
      | "taps_x"
      | "tap_y"
      | "tap_x"
      | "tap_step"
      | "out_scale"
      | "out_y"
      | "out_x",
      number
    >
  >;
}

function gather(
  trace: Trace,
  g: Geometry,
  { form, x, w, y, from, to, gridHeight, gridWidth, dims }: Gather,
): void {
  const { preset } = trace.gpu;
  const outChannels = to[2];
  const columns = columnsFor(quads(outChannels), preset);
  const positions = g.batch * gridHeight * gridWidth;
  const groups = Math.ceil(positions / (preset.rows * preset.lanes));
  const { rows, lanes } = preset;
  const shallow = quads(from[2]) === 1;
  trace.run(gatheredProduct(form, { rows, columns, lanes, shallow }), {
    reads: { x, w },
    writes: { y },
    dims: {
      batch: g.batch,
      grid_height: gridHeight,
      grid_width: gridWidth,
      groups,
      in_height: from[0],
      in_width: from[1],
      in_quads: quads(from[2]),
      in_stride: quads(from[2]),
      kernel_width: g.kernelWidth,
      weight_rows: g.filterIn,
      weight_quads: quads(g.filterOut),
      out_height: to[0],
      out_width: to[1],
      out_channels: outChannels,
      ...dims,
      ...g.tapBits,
    },
    workgroups: groups * Math.ceil(quads(outChannels) / columns),
  });
}

/** Records y = x * w into `y`, `[batch, outHeight, outWidth, keepOut]`. */
export function recordForward(trace: Trace, g: Geometry, x: Tensor, w: Tensor, y: Tensor): void {
  gather(trace, g, {
    form: "outer",
    x,
    w,
    y,
    from: [g.height, g.width, g.keepIn],
    to: [g.outHeight, g.outWidth, g.keepOut],
    gridHeight: g.outHeight,
    gridWidth: g.outWidth,
    dims: {
      scale: g.stride,
      offset_y: -g.padding,
      offset_x: -g.padding,
      step: 1,
      taps_y: g.kernelHeight,
      taps_x: g.kernelWidth,
      tap_y: 0,
      tap_x: 0,
      tap_step: 1,
      out_scale: 1,
      out_y: 0,
      out_x: 0,
    },
  });
}

/**
 * Records the gradient of the input into `dx`, `[batch, height, width, keepIn]`:
 * dx[y] = Σ_s dy[a] w[s] over a·stride + s - padding = y. Pixels y = a'·stride + r of one phase r
 * use the taps s ≡ r + padding (mod stride) only, so each phase is a dense product of its own.
 */
export function recordInputGradient(
  trace: Trace,
  g: Geometry,
  dy: Tensor,
  w: Tensor,
  dx: Tensor,
): void {
  const phases = (
    size: number,
    kernel: number,
  ): { r: number; grid: number; tap: number; taps: number }[] =>
    Array.from({ length: Math.min(g.stride, size) }, (_, r) => {
      const tap = (r + g.padding) % g.stride;
      return {
        r,
        grid: Math.ceil((size - r) / g.stride),
        tap,
        taps: Math.max(0, Math.ceil((kernel - tap) / g.stride)),
      };
    });
  for (const row of phases(g.height, g.kernelHeight)) {
    for (const column of phases(g.width, g.kernelWidth)) {
      gather(trace, g, {
        form: "inner",
        x: dy,
        w,
        y: dx,
        from: [g.outHeight, g.outWidth, g.keepOut],
        to: [g.height, g.width, g.keepIn],
        gridHeight: row.grid,
        gridWidth: column.grid,
        dims: {
          scale: 1,
          offset_y: (row.r + g.padding - row.tap) / g.stride,
          offset_x: (column.r + g.padding - column.tap) / g.stride,
          step: -1,
          taps_y: row.taps,
          taps_x: column.taps,
          tap_y: row.tap,
          tap_x: column.tap,
          tap_step: g.stride,
          out_scale: g.stride,
          out_y: row.r,
          out_x: column.r,
        },
      });
    }
  }
}

/** Records the partial sums of the gradient of the filter, to be added up where it is wanted. */
export function recordFilterGradient(trace: Trace, g: Geometry, x: Tensor, dy: Tensor): Gradient {
  const { preset } = trace.gpu;
  const inQuads = quads(g.keepIn);
  const outQuads = quads(g.keepOut);
  const square = { ...preset, rows: preset.columns * 4 };
  const inputs = Math.min(columnsFor(inQuads, square), inQuads);
  const outputs = Math.min(columnsFor(outQuads, square), outQuads);
  const taps = g.kernelHeight * g.kernelWidth;
  const blocks = taps * Math.ceil(inQuads / inputs) * Math.ceil(outQuads / outputs);
  const positions = g.batch * g.outHeight * g.outWidth;
  const splits = Math.min(Math.ceil(positions / 4), Math.ceil(preset.invocations / blocks));
  const part = trace.tensor(`d${g.name} parts`, [splits, taps, inQuads * 4, outQuads * 4]);
  trace.run(weightGradient({ inputs, outputs, lanes: preset.lanes }), {
    reads: { x, dy },
    writes: { part },
    dims: {
      in_height: g.height,
      in_width: g.width,
      in_stride: inQuads,
      in_quads: inQuads,
      out_height: g.outHeight,
      out_width: g.outWidth,
      out_quads: outQuads,
      stride: g.stride,
      padding: g.padding,
      kernel_height: g.kernelHeight,
      kernel_width: g.kernelWidth,
      batch: g.batch,
      splits,
      ...g.tapBits,
    },
    workgroups: Math.ceil(blocks * splits / preset.lanes),
  });
  return {
    complete: g.keepIn === g.filterIn && g.keepOut === g.filterOut,
    write: (into, accumulate) =>
      trace.run(sumParts(accumulate), {
        reads: { part },
        writes: { dw: into },
        dims: {
          taps,
          part_rows: inQuads * 4,
          part_quads: outQuads,
          rows: g.keepIn,
          channels: g.keepOut,
          weight_rows: g.filterIn,
          weight_quads: quads(g.filterOut),
          splits,
        },
        workgroups: Math.ceil(taps * g.keepIn * outQuads / 64),
      }),
  };
}
