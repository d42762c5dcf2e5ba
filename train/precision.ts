import { curable, cure } from "../data/cure.ts";
import { matricesOf } from "../kernels/conv/matrix_tiles.ts";
import { kindOf } from "../kernels/gpu/adapter.ts";
import type { Device } from "../kernels/gpu/device.ts";
import { GpuError } from "../kernels/gpu/gpu_error.ts";
import type { Precision } from "../kernels/program/trace.ts";

/** Choices of how values of a training step are kept. */
export const PRECISIONS = ["float32", "mixed", "auto"] as const;

/** How values are to be kept: `auto` leaves it to the adapter. */
export type PrecisionChoice = typeof PRECISIONS[number];

/**
 * The precision on a device. `auto` is mixed on a GPU with half floats, where memory's speed is what
 * most kernels wait for; on a software adapter, float32. Raises a `GpuError` where there are no half
 * floats for `mixed`.
 */
export function precisionOn(gpu: Device, choice: PrecisionChoice): Precision {
  if (choice === "mixed" && !gpu.hasHalves) {
    throw curable(
      GpuError,
      `Cannot train in mixed precision on ${gpu.adapter}: wanted the feature shader-f16, found none ` +
        "of that name",
      cure`choose ${{ option: "precision" }} float32`,
    );
  }
  if (choice !== "auto") return choice;
  const { adapterInfo } = gpu.device;
  const software = kindOf(adapterInfo) === "software" || adapterInfo.isFallbackAdapter;
  return gpu.hasHalves && !software ? "mixed" : "float32";
}

/**
 * The precision in words where it is not float32, with the matrix units that convolutions are done
 * by.
 */
export function precisionWords(gpu: Device, choice: PrecisionChoice): string | undefined {
  if (precisionOn(gpu, choice) === "float32") return undefined;
  return `mixed precision${matricesOf(gpu).tiles.length ? " with matrix units" : ""}`;
}

/** The adapter's own words for itself, and the precision where it is not float32. */
export function adapterWords(gpu: Device, choice: PrecisionChoice): string {
  return [gpu.adapter, precisionWords(gpu, choice) ?? []].flat().join(", ");
}
