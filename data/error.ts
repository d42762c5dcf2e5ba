/** Raised when images or labels cannot be read or do not fit together; the message is one sentence. */
export class DataError extends Error {
  /** "DataError", as printed before the message. */
  override readonly name = "DataError";
}
