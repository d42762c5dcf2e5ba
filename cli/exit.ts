import { DataError } from "../data/error.ts";
import { missingPermission } from "../data/missing_permission.ts";
import { GpuError } from "../kernels/gpu/gpu_error.ts";
import { DivergedError, UsageError, VerificationError } from "../train/errors.ts";

/** Exit codes of the command line. */
export const EXIT = {
  ok: 0,
  unexpected: 1,
  usage: 2,
  data: 3,
  gpu: 4,
  diverged: 5,
  verification: 6,
  timeUp: 7,
} as const;

/** A run that was told to end, with what is left of it in words, and the exit code. */
export class EndedError extends Error {
  /** "EndedError", as printed before the message. */
  override readonly name: string = "EndedError";

  /** `code` is that of the process. */
  constructor(message: string, readonly code: number) {
    super(message);
  }
}

/** The exit code for an error. */
export function exitCode(error: unknown): number {
  if (error instanceof EndedError) return error.code;
  if (error instanceof UsageError || error instanceof RangeError) return EXIT.usage;
  // Whatever it was needed for, it is a flag of Deno's that is missing.
  if (missingPermission(error)) return EXIT.usage;
  if (error instanceof DataError) return EXIT.data;
  if (error instanceof GpuError) return EXIT.gpu;
  if (error instanceof DivergedError) return EXIT.diverged;
  if (error instanceof VerificationError) return EXIT.verification;
  return EXIT.unexpected;
}
