/** A GPU that is missing, refuses a kernel, or runs out of memory. */
export class GpuError extends Error {
  /** "GpuError", as printed before the message. */
  override readonly name: string = "GpuError";
}
