// Opens every picture of a set once, a few at a time.
import { BrokenPictureError } from "../../data/broken_picture.ts";
import { foundInstead } from "../../data/found_instead.ts";
import { PICTURE_KINDS, type PictureKind } from "../../data/picture_kind.ts";
import type { Picture } from "../../data/picture.ts";
import type { Preparation } from "../../data/preparation.ts";
import { inspect } from "../../pictures/inspect.ts";

/** Bytes of the largest file that is read. */
const LARGEST = 2 ** 29;

/** Files that are read and decoded at a time. */
function atOnce(): number {
  return Math.min(navigator.hardwareConcurrency, 8) + 1;
}

/** What is known of some pictures; arrays have an entry for each, 0 where it is broken. */
export interface CheckedPictures {
  readonly files: readonly string[];
  /** Bytes of each file. */
  readonly bytes: Float64Array;
  readonly widths: Uint32Array;
  readonly heights: Uint32Array;
  /** The place of each format in {@link PICTURE_KINDS}, from 1 on. */
  readonly kinds: Uint8Array;
  readonly grey: Uint8Array;
  /** A digest of each file's bytes; empty where it could not be read. */
  readonly digests: readonly string[];
  /** Why pictures are broken, by their places. */
  readonly broken: ReadonlyMap<number, string>;
  /** The pictures that were to be shown, by their places. */
  readonly shown: ReadonlyMap<number, Picture>;
}

/** What is looked at. */
export interface PictureCheck {
  readonly files: readonly string[];
  /** The places of the pictures to be shown. */
  readonly show: ReadonlySet<number>;
  /** How they are prepared. */
  readonly preparation: Preparation;
  /** Is told after each picture. */
  readonly done: () => void;
}

/** The format of a picture. */
export function kindAt({ kinds }: CheckedPictures, place: number): PictureKind | undefined {
  return PICTURE_KINDS[kinds[place] - 1];
}

/** The bytes of a file. Raises a {@link BrokenPictureError} where they cannot be read. */
async function bytesOf(file: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const { isFile, size } = await Deno.stat(file);
    // A pipe would be waited for until somebody writes to it.
    if (!isFile) throw new BrokenPictureError("not a file");
    if (size > LARGEST) throw new BrokenPictureError(`${size} bytes, more than ${LARGEST}`);
    return await Deno.readFile(file);
  } catch (error) {
    if (error instanceof BrokenPictureError) throw error;
    throw new BrokenPictureError(foundInstead(file, error), { cause: error });
  }
}

/** The first 64 bits of SHA-256, as text. */
async function digest(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const found = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes), 0, 8);
  return String.fromCharCode(...found);
}

/** Decodes pictures, each once. Memory does not grow with their sizes. */
export async function checkPictures(
  { files, show, preparation, done }: PictureCheck,
): Promise<CheckedPictures> {
  const { length } = files;
  const digests = Array<string>(length).fill("");
  const broken = new Map<number, string>();
  const shown = new Map<number, Picture>();
  const found = {
    files,
    bytes: new Float64Array(length),
    widths: new Uint32Array(length),
    heights: new Uint32Array(length),
    kinds: new Uint8Array(length),
    grey: new Uint8Array(length),
  };
  const one = async (place: number): Promise<void> => {
    try {
      const bytes = await bytesOf(files[place]);
      found.bytes[place] = bytes.length;
      digests[place] = await digest(bytes);
      const facts = await inspect(bytes, show.has(place) ? preparation : undefined);
      found.widths[place] = facts.width;
      found.heights[place] = facts.height;
      found.kinds[place] = PICTURE_KINDS.indexOf(facts.kind) + 1;
      found.grey[place] = Number(facts.grey);
      if (facts.picture) shown.set(place, facts.picture);
    } catch (error) {
      if (!(error instanceof BrokenPictureError)) throw error;
      broken.set(place, error.message);
    }
  };
  let next = 0;
  await Promise.all(Array.from({ length: atOnce() }, async () => {
    while (next < length) {
      await one(next++);
      done();
    }
  }));
  const sorted = new Map([...broken].sort(([a], [b]) => a - b));
  return { ...found, digests, broken: sorted, shown };
}
