import type { Picture } from "../data/picture.ts";
import type { Preparation } from "../data/preparation.ts";
import type { PictureFacts } from "./inspect.ts";

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
  /** Asks for what the file is like; `show` says whether the picture is given as well. */
  readonly inspect?: { readonly show: boolean };
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

/** What a file is like. */
export interface Inspected {
  readonly kind: "inspected";
  /** Bytes of the file; 0 where it cannot be read. */
  readonly bytes: number;
  /** The first 64 bits of the SHA-256 of its bytes; empty where it cannot be read. */
  readonly digest: string;
  /** What it says of its picture; nothing where that is broken. */
  readonly facts?: PictureFacts;
  /** Why it is broken, in words that go after its name; empty where it is not. */
  readonly reason: string;
}

/** What a worker tells. */
export type PictureReply =
  /** It takes requests from now on. */
  | { readonly kind: "ready" }
  /** Nothing can be decoded at all. */
  | {
    readonly kind: "unusable";
    readonly message: string;
    /** The message of the error behind it, where there is one. */
    readonly cause?: string;
  }
  /** It cannot go on: the program is at fault, or there is no memory. */
  | { readonly kind: "failed"; readonly message: string }
  /** What became of a request. */
  | { readonly kind: "decoded"; readonly id: number; readonly decoded: Decoded | Inspected };
