import { LANES } from "./elementwise.ts";
import { quads } from "../gpu/tensor.ts";

/** Pixels of a row that one invocation visits. */
const ROW_EACH = 4;

/** Numbers that every walk takes. */
export type WalkDims = "rows" | "width" | "walkers" | "channel_quads";

/** The types of {@link WalkDims}. */
export const WALK_DIMS = {
  rows: "u32",
  width: "u32",
  walkers: "u32",
  channel_quads: "u32",
} as const;

/**
 * A `main` that runs `body` for each vec4 of `[rows, width, channels]`: row `row`, pixel `w` of it,
 * vec4 of channels `c`, index `at`. What `once` finds out about a row serves several pixels.
 */
export function walk({ once, body }: { once: string; body: string }): string {
  return /* wgsl */ `
fn main(workgroup: u32, lane: u32) {
  let i = workgroup * ${LANES}u + lane;
  let walker = i / dims.channel_quads;
  let c = i - walker * dims.channel_quads;
  let row = walker / dims.walkers;
  if (row >= dims.rows) { return; }
  ${once}
  for (var w = walker - row * dims.walkers; w < dims.width; w += dims.walkers) {
    let at = (row * dims.width + w) * dims.channel_quads + c;
    ${body}
  }
}`;
}

/** The iterations of a walk whose body makes `each`. */
export function walkIterations(
  { width, walkers }: Readonly<Record<"width" | "walkers", number>>,
  each = 0,
): number {
  return Math.ceil(width / walkers) * (1 + each) + 1;
}

/** The numbers and the workgroups of a walk over `rows` rows of `width` pixels. */
export function walkOver(
  { rows, width, channels }: { rows: number; width: number; channels: number },
): { dims: Record<WalkDims, number>; workgroups: number } {
  const walkers = Math.ceil(width / ROW_EACH);
  const channel_quads = quads(channels);
  return {
    dims: { rows, width, walkers, channel_quads },
    workgroups: Math.ceil(rows * walkers * channel_quads / LANES),
  };
}
