import type { Loads } from "./kernel.ts";

/** The kinds of adapter that kernels are shaped for. */
export type AdapterKind = "software" | "gpu";

/** The part of a preset that all kernels share. */
export interface DevicePreset {
  /** The kind of adapter. */
  readonly name: AdapterKind;
  /** The memory that bulk operands are loaded from. */
  readonly loads: Loads;
  /** Invocations of a workgroup of the kernels with register blocks. */
  readonly lanes: number;
  /**
   * Whether the lanes of a workgroup load shared operands for one another by subgroup broadcasts,
   * where subgroups are as wide as workgroups.
   */
  readonly broadcast: boolean;
  /**
   * The grid of kernels whose workgroups are subgroups: they take their work from a queue, so that
   * a core that wakes late does less. Without it, each part of the work has a workgroup.
   */
  readonly grid?: number;
  /**
   * The most iterations that all loops of an invocation may come to, where there is a limit: work
   * is divided into so many parts that it is kept.
   */
  readonly iterations?: number;
  /**
   * Whether elementwise kernels load and store half floats 16 bytes at a time, two vec4, as they do
   * float32, and not 8.
   */
  readonly wide: boolean;
  /** Invocations for full occupancy of the adapter. */
  readonly invocations: number;
}

/** The device part of each preset. */
export const DEVICE_PRESETS: Readonly<Record<AdapterKind, DevicePreset>> = {
  software: {
    name: "software",
    loads: "texture",
    lanes: 8,
    broadcast: true,
    grid: 32,
    iterations: 65535,
    wide: false,
    invocations: 2048,
  },
  gpu: {
    name: "gpu",
    loads: "buffer",
    lanes: 64,
    broadcast: false,
    wide: true,
    invocations: 131072,
  },
};
