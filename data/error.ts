/**
 * Raised for what a file or folder should hold and does not: images and labels, and weights, widths
 * or options of a run. They are missing, cannot be read, or do not fit together; the message is one
 * sentence.
 */
export class DataError extends Error {
  /** "DataError", as printed before the message. */
  override readonly name: string = "DataError";
}
