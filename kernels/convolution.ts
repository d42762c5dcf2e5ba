import { WIDEST_ROW } from "./blocked.ts";
import { gatheredProduct } from "./gathered_product.ts";
import type { Geometry } from "./geometry.ts";
import type { Gpu } from "./gpu.ts";
import { joinsOf } from "./joins.ts";
import type { Joined, JoiningGradient } from "./op.ts";
import type { Block } from "./preset.ts";
import { quads, type Tensor } from "./tensor.ts";
import { productTile } from "./tile_choice.ts";
import { thinProduct } from "./thin_product.ts";
import { tiledProduct } from "./tiled_product.ts";
import type { ProductTile } from "./tiles.ts";
import type { Trace } from "./trace.ts";

export { type Geometry, geometry, outputSize, type Placement, type Shaped } from "./geometry.ts";

/**
 * The block that wastes least of loads (20) and multiply-adds (5) on `count` vec4 of outputs. There
 * are few to choose from, as each is a kernel to compile, half a second on a software adapter.
 */
function blockFor(count: number, { preset, broadcast }: Gpu): Block {
  const cost = ({ rows, columns }: Block): number => {
    const loads = rows + 4 * columns / (broadcast || 1);
    return Math.ceil(count / columns) * (loads * 20 + rows * columns * 5) / rows;
  };
  return preset.blocks.reduce((best, block) => cost(block) < cost(best) ? block : best);
}

interface Gather {
  readonly form: "outer" | "inner";
  /** The tile of a workgroup; without one each invocation is on its own. */
  readonly tile: ProductTile | undefined;
  readonly x: Tensor;
  readonly w: Tensor;
  readonly y: Tensor;
  /** What the result is joined with before it is written. */
  readonly joined?: Joined;
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
  { form, tile, x, w, y, joined = {}, from, to, gridHeight, gridWidth, dims }: Gather,
): void {
  const positions = g.batch * gridHeight * gridWidth;
  const outQuads = quads(to[2]);
  const joins = joinsOf(joined);
  const operands = {
    reads: { x, w, ...joined },
    writes: { y },
    dims: {
      batch: g.batch,
      grid_height: gridHeight,
      grid_width: gridWidth,
      in_height: from[0],
      in_width: from[1],
      in_quads: quads(from[2]),
      in_stride: quads(from[2]),
      kernel_width: g.kernelWidth,
      weight_rows: g.filterIn,
      weight_quads: quads(g.filterOut),
      out_height: to[0],
      out_width: to[1],
      out_channels: to[2],
      ...dims,
      ...g.tapBits,
    },
  };
  if (tile) {
    const groups = Math.ceil(outQuads * 4 / tile.channels);
    trace.run(tiledProduct(form, tile, joins), {
      ...operands,
      dims: { ...operands.dims, groups, kept: keptTaps(operands.dims) },
      workgroups: groups * Math.ceil(positions / tile.positions),
    });
    return;
  }
  const { preset: { lanes }, broadcast } = trace.gpu;
  const { rows, columns } = blockFor(outQuads, trace.gpu);
  const groups = Math.ceil(positions / (rows * lanes));
  const follows = dims.scale === 1 && gridHeight === from[0] && gridWidth === from[1];
  const row = dims.taps_x > 1 && dims.taps_x <= WIDEST_ROW;
  const channels = from[2] <= 4 ? from[2] : undefined;
  const thin = form === "inner" && outQuads === 1 && follows && row;
  const common = { rows, lanes, broadcast, joins };
  trace.run(
    thin
      ? thinProduct({ ...common, taps: dims.taps_x })
      : gatheredProduct(form, { ...common, columns, channels }),
    {
      ...operands,
      dims: { ...operands.dims, groups },
      workgroups: groups * Math.ceil(outQuads / columns),
    },
  );
}

/** Taps of a gathered product that the spatial mask keeps. */
function keptTaps(
  d: Gather["dims"] & Geometry["tapBits"] & { readonly kernel_width: number },
): number {
  let kept = 0;
  for (let s = 0; s < d.taps_y; s++) {
    for (let t = 0; t < d.taps_x; t++) {
      const tap = (d.tap_y + s * d.tap_step) * d.kernel_width + d.tap_x + t * d.tap_step;
      kept += (tap < 32 ? d.taps_low : d.taps_high) >>> (tap & 31) & 1;
    }
  }
  return kept;
}

/** Records y = x * w into `y`, `[batch, outHeight, outWidth, keepOut]`. */
export function recordForward(trace: Trace, g: Geometry, x: Tensor, w: Tensor, y: Tensor): void {
  gather(trace, g, {
    form: "outer",
    tile: productTile(trace.gpu, { direction: "forward", geometry: g }),
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
  { dy, w, dx }: { dy: Tensor; w: Tensor; dx: Tensor },
  joined: Joined = {},
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
  const tile = productTile(trace.gpu, { direction: "input gradient", geometry: g });
  for (const row of phases(g.height, g.kernelHeight)) {
    for (const column of phases(g.width, g.kernelWidth)) {
      gather(trace, g, {
        form: "inner",
        tile,
        x: dy,
        w,
        y: dx,
        joined,
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

/** The gradient of the input, recorded once it is known what it is joined with. */
export function inputGradient(trace: Trace, g: Geometry, dy: Tensor, w: Tensor): JoiningGradient {
  return {
    join: (dx, joined) => recordInputGradient(trace, g, { dy, w, dx }, joined),
  };
}
