import { DataError } from "../data/error.ts";
import { GpuError } from "../kernels/gpu.ts";

/** A flag or option that cannot be used, or an output that cannot be written. */
export class UsageError extends Error {
  /** "UsageError", as printed before the message. */
  override readonly name: string = "UsageError";
}

/** A loss or weight that is no longer a number, or a search whose logits have no bounds. */
export class DivergedError extends Error {
  /** "DivergedError", as printed before the message. */
  override readonly name: string = "DivergedError";
}

/** A network, extracted or exported, that does not equal what was measured. */
export class VerificationError extends Error {
  /** "VerificationError", as printed before the message. */
  override readonly name: string = "VerificationError";
}

/** Exit codes of the command line. */
export const EXIT = {
  ok: 0,
  unexpected: 1,
  usage: 2,
  data: 3,
  gpu: 4,
  diverged: 5,
  verification: 6,
} as const;

/** The exit code for an error. */
export function exitCode(error: unknown): number {
  if (error instanceof UsageError || error instanceof RangeError) return EXIT.usage;
  if (error instanceof DataError) return EXIT.data;
  if (error instanceof GpuError) return EXIT.gpu;
  if (error instanceof DivergedError) return EXIT.diverged;
  if (error instanceof VerificationError) return EXIT.verification;
  return EXIT.unexpected;
}
