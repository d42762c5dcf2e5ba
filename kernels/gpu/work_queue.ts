import type { DevicePreset } from "./device_preset.ts";
import type { Kernel } from "./kernel.ts";

/** The multiple of its share of the work that a workgroup may take. */
const SLACK = 4;

const IN_ORDER = /* wgsl */ `
  let step = grid.x * grid.y;
  for (var workgroup = id.x + id.y * grid.x; workgroup < dims.workgroups; workgroup += step) {
    main(workgroup, lane);
  }`;

const QUEUED = /* wgsl */ `
  let groups = grid.x * grid.y;
  let share = (dims.workgroups + groups - 1u) / groups;
  for (var turn = 0u; turn < select(${SLACK}u * share, 1u, share == 1u); turn++) {
    var next = 0u;
    if (lane == 0u) { next = atomicAdd(&queue[0], 1u); }
    let workgroup = subgroupBroadcast(next, 0u);
    if (workgroup >= dims.workgroups) { break; }
    main(workgroup, lane);
  }
  // The last to end leaves the counters as it found them.
  if (lane == 0u) {
    if (atomicAdd(&queue[1], 1u) == groups - 1u) {
      atomicStore(&queue[0], 0u);
      atomicStore(&queue[1], 0u);
    }
  }`;

/** The variable of the work queue: items of work taken, workgroups that have ended. */
export const QUEUE = "var<storage, read_write> queue: array<atomic<u32>, 2>;";

/** Bytes of {@link QUEUE}. */
export const QUEUE_BYTES = 8;

/**
 * The entry point of a kernel, after the statements `before`. Where the grid is smaller than the
 * work, its workgroups do several parts each: every so many in order or, `queued`, as they come to
 * them.
 */
export function entryPoint(
  { workgroupSize, subgroup, queued, before }: {
    workgroupSize: number;
    subgroup: boolean;
    queued: boolean;
    before: string;
  },
): string {
  return /* wgsl */ `
@compute @workgroup_size(${workgroupSize})
fn entry(
  @builtin(workgroup_id) id: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(${subgroup ? "subgroup_invocation_id" : "local_invocation_index"}) lane: u32,
) {
  ${before}${queued ? QUEUED : IN_ORDER}
}`;
}

/**
 * The grid of a kernel that takes its work, `workgroups` parts of `iterations` of loops each, from
 * the queue; undefined where each part has a workgroup of its own. It is as small as the preset
 * wants it, but so large that no invocation comes to too many iterations.
 */
export function gridFor(
  { preset: { grid }, broadcast, iterations: most }: {
    readonly preset: Pick<DevicePreset, "grid">;
    readonly broadcast: number;
    readonly iterations: number;
  },
  { workgroups, iterations }: { workgroups: number; iterations: number },
): number | undefined {
  const share = Math.floor(most / iterations / SLACK);
  if (!grid || !broadcast || share < 2) return undefined;
  return Math.max(grid, Math.ceil(workgroups / share));
}

/**
 * The most iterations of all loops of an invocation whose turns make `iterations` each: workgroups
 * take turns where there are more of them than the grid has.
 */
export function turnIterations(
  { preset, maxWorkgroups }: {
    readonly preset: Pick<DevicePreset, "grid">;
    readonly maxWorkgroups: number;
  },
  { subgroup = false }: Pick<Kernel, "subgroup">,
  { workgroups, grid = workgroups, iterations }: {
    workgroups: number;
    grid?: number;
    iterations: number;
  },
): number {
  const share = Math.ceil(workgroups / Math.min(grid, maxWorkgroups));
  const queued = preset.grid !== undefined && subgroup && share > 1;
  return (queued ? SLACK * share : share) * (iterations + 1) + 1;
}
