/** Raised when images or labels cannot be read or do not fit together; the message is one sentence. */
export class DataError extends Error {
  override readonly name = "DataError";
}
