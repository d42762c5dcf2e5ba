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

/** A run that was told to stop, and has kept where it is. */
export class StoppedError extends Error {
  /** "StoppedError", as printed before the message. */
  override readonly name: string = "StoppedError";
}
