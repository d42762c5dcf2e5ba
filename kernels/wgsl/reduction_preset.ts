import type { AdapterKind } from "../gpu/device_preset.ts";
import { PerDevice } from "../gpu/per_device.ts";

/** The part of a preset that shapes reductions: the partial sums of norms, pooling and gates. */
export interface ReductionPreset {
  /** The most partial sums that one invocation adds up. */
  readonly partialSums: number;
  /** Invocations of a workgroup that share the partial sums of a channel, a power of two. */
  readonly shares: number;
}

/** The reduction part of each preset. */
export const REDUCTION_PRESETS: Readonly<Record<AdapterKind, ReductionPreset>> = {
  software: { partialSums: 256, shares: 1 },
  gpu: { partialSums: 64, shares: 64 },
};

/** The reduction part of the preset of each device. */
export const reductionPresets: PerDevice<ReductionPreset> = new PerDevice(
  ({ preset }) => REDUCTION_PRESETS[preset.name],
);
