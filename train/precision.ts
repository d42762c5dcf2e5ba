import { matricesOf } from "../kernels/conv/matrix_tiles.ts";
import { kindOf } from "../kernels/gpu/adapter.ts";
import type { Device } from "../kernels/gpu/device.ts";
import type { Precision } from "../kernels/program/trace.ts";

/** Choices of how values of a training step are kept. */
export const PRECISIONS = ["float32", "mixed", "auto"] as const;

/** How values are to be kept: `auto` leaves it to the adapter. */
export type PrecisionChoice = typeof PRECISIONS[number];

/**
 * The precision on a device. `auto` is mixed on a GPU with half floats, where memory's speed is what
 * most kernels wait for; on a software adapter, float32.
 */
export function precisionOn(gpu: Device, choice: PrecisionChoice): Precision {
  if (choice !== "auto") return choice;
  const { adapterInfo } = gpu.device;
  const software = kindOf(adapterInfo) === "software" || adapterInfo.isFallbackAdapter;
  return gpu.hasHalves && !software ? "mixed" : "float32";
}

/**
 * The adapter's own words for itself, and the precision where it is not float32, with the matrix
 * units that convolutions are done by.
 */
export function adapterWords(gpu: Device, choice: PrecisionChoice): string {
  if (precisionOn(gpu, choice) === "float32") return gpu.adapter;
  const units = matricesOf(gpu).tiles.length ? " with matrix units" : "";
  return `${gpu.adapter}, mixed precision${units}`;
}
