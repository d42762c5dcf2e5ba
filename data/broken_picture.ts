import { DataError } from "./error.ts";

/** Raised for one picture that cannot be decoded: truncated, corrupt, empty, or no picture at all. */
export class BrokenPictureError extends DataError {
  /** "BrokenPictureError", as printed before the message. */
  override readonly name = "BrokenPictureError";
}
