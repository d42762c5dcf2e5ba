import type { Picture } from "../data/picture.ts";
import type { Preparation } from "../data/preparation.ts";

/** A picture that a worker is asked for. */
export interface PictureRequest {
  /** Its number among all requests. */
  readonly id: number;
  /** The file. */
  readonly path: string;
  /** How it is made ready. */
  readonly preparation: Preparation;
  /** The folder that keeps what has been decoded; nothing is kept unless told. */
  readonly cache?: string;
}

/** What became of a file: a picture, or why there is none. */
export type Decoded =
  | { readonly kind: "picture"; readonly picture: Picture }
  | {
    /** `missing`: the file is not where it was, or its folder is not. */
    readonly kind: "broken" | "missing";
    /** Words that go after the name of the file. */
    readonly reason: string;
  };

/** What a worker tells. */
export type PictureReply =
  /** It takes requests from now on. */
  | { readonly kind: "ready" }
  /** Nothing can be decoded at all. */
  | { readonly kind: "unusable"; readonly message: string }
  /** It cannot go on: the program is at fault, or there is no memory. */
  | { readonly kind: "failed"; readonly message: string }
  /** What became of a request. */
  | { readonly kind: "decoded"; readonly id: number; readonly decoded: Decoded };
