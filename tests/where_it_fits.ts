import { Gpu, OutOfMemoryError } from "../kernels/gpu.ts";

/** What was found, and how. */
export interface Found<T> {
  readonly found: T;
  /** In words where it was not on the GPU; else nothing. */
  readonly where: string;
}

/** Computes something on a GPU, or in float64 where its tensors are larger than the adapter allows. */
export async function whereItFits<T>(
  onGpu: (gpu: Gpu) => Promise<T>,
  inFloat64: () => T | Promise<T>,
): Promise<Found<T>> {
  const gpu = await Gpu.open();
  try {
    return { found: await onGpu(gpu), where: "" };
  } catch (error) {
    if (!(error instanceof OutOfMemoryError)) throw error;
    return { found: await inFloat64(), where: ` in float64, as ${error.asked} bytes have no room` };
  } finally {
    gpu.destroy();
  }
}
