import { unroll } from "../wgsl/blocked.ts";

/**
 * WGSL that names `rows` consecutive positions of the grid of `window` from number `first` on: row
 * a, column b of image n, each with its index behind the name; n is `dims.batch` or more behind the
 * last. `x` and `y` are where their x begins; x lies far outside behind the last.
 */
export function positions(rows: number): string {
  const next = (i: number): string =>
    i === 0
      ? `let b0 = first % window.grid.x;
    let a0 = (first / window.grid.x) % window.grid.y;
    let n0 = first / (window.grid.x * window.grid.y);`
      : `let right${i} = b${i - 1} + 1u == window.grid.x;
    let b${i} = select(b${i - 1} + 1u, 0u, right${i});
    let down${i} = right${i} && a${i - 1} + 1u == window.grid.y;
    let a${i} = select(a${i - 1} + select(0u, 1u, right${i}), 0u, down${i});
    let n${i} = n${i - 1} + select(0u, 1u, down${i});`;
  const corner = (i: number): string =>
    `let y${i} = i32(a${i} * scale().y) + window.offset.y;
    let x${i} = select(i32(b${i} * scale().x) + window.offset.x, -65536, n${i} >= dims.batch);`;
  return `${unroll(rows, next)}\n${unroll(rows, corner)}`;
}

/**
 * WGSL that moves position (a, b) of image n on to the next of `rows.x` to `rows.y` and `columns.x`
 * to `columns.y`. The number `p` tells its names from others'.
 */
export function advance(p: number): string {
  return `b += 1u;
    let right${p} = b == columns.y;
    b = select(b, columns.x, right${p});
    a += select(0u, 1u, right${p});
    let low${p} = a == rows.y;
    a = select(a, rows.x, low${p});
    n += select(0u, 1u, low${p});`;
}

/** WGSL that names where the results of {@link positions} go: `to0`, …, in vec4. */
export function destinations(rows: number): string {
  return unroll(
    rows,
    (i) =>
      `let to${i} = ((n${i} * dims.out_height + a${i} * out_scale().y + window.out.y) * dims.out_width
      + b${i} * out_scale().x + window.out.x) * out_quads + quad;`,
  );
}
