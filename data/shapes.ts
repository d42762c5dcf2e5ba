/**
 * A shape as a signed distance: negative inside, 0 on the edge, growing with slope 1 across it. It
 * lies within the unit circle, x to the right and y up.
 */
export type Shape = (x: number, y: number) => number;

function disc(x: number, y: number, radius: number): number {
  return Math.hypot(x, y) - radius;
}

function box(x: number, y: number, halfWidth: number, halfHeight: number): number {
  return Math.max(Math.abs(x) - halfWidth, Math.abs(y) - halfHeight);
}

const FIFTH = 2 * Math.PI / 5;
// The edge from the tip (0, 1) to the inner corner 0.45 (sin 36°, cos 36°), as its outward normal.
const VALLEY = [0.45 * Math.sin(FIFTH / 2), 0.45 * Math.cos(FIFTH / 2)];
const EDGE = Math.hypot(VALLEY[0], 1 - VALLEY[1]);

function star(x: number, y: number): number {
  const angle = Math.atan2(x, y);
  const within = Math.abs(angle - FIFTH * Math.round(angle / FIFTH));
  const radius = Math.hypot(x, y);
  const along = radius * Math.cos(within) - 1;
  return (radius * Math.sin(within) * (1 - VALLEY[1]) + along * VALLEY[0]) / EDGE;
}

// A square on its corner and, on its two upper sides, discs as wide as the sides.
function heart(x: number, y: number): number {
  const half = 0.56;
  const middle = half * Math.SQRT1_2;
  const side = Math.abs(x);
  const square = (side + Math.abs(y)) * Math.SQRT1_2 - half;
  return Math.min(square, disc(side - middle, y - middle, half));
}

/** The shapes by the names of their classes; none turns into another when mirrored or turned by 20°. */
export const shapes: Readonly<Record<string, Shape>> = {
  disc: (x, y) => disc(x, y, 0.9),
  ring: (x, y) => Math.abs(disc(x, y, 0.7)) - 0.22,
  square: (x, y) => box(x, y, 0.7, 0.7),
  triangle: (x, y) => Math.max(-y, Math.abs(x) * Math.sqrt(0.75) + y / 2) - 0.5,
  plus: (x, y) => Math.min(box(x, y, 0.95, 0.27), box(x, y, 0.27, 0.95)),
  star,
  crescent: (x, y) => Math.max(disc(x, y, 0.95), -disc(x - 0.45, y, 0.72)),
  heart,
  bars: (x, y) => box(x, Math.abs(Math.abs(y) - 0.31) - 0.31, 0.75, 0.18),
  dots: (x, y) => disc(Math.abs(x) - 0.55, y, 0.4),
};
