// Opens every picture of a set once, in workers.
import { PICTURE_KINDS, type PictureKind } from "../../data/picture_kind.ts";
import type { Picture } from "../../data/picture.ts";
import type { Preparation } from "../../data/preparation.ts";
import type { PictureWorkers } from "../../pictures/picture_workers.ts";

/** Pictures that are asked for at a time. */
const AHEAD = 32;

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
  readonly workers: PictureWorkers;
  /** Is told after each picture. */
  readonly done: () => void;
}

/** The format of a picture. */
export function kindAt({ kinds }: CheckedPictures, place: number): PictureKind | undefined {
  return PICTURE_KINDS[kinds[place] - 1];
}

/** Decodes pictures, each once. Memory does not grow with their sizes. */
export async function checkPictures(
  { files, show, preparation, workers, done }: PictureCheck,
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
    const path = files[place];
    const wanted = { path, preparation, inspect: { show: show.has(place) } };
    const { bytes, digest, facts, reason } = await workers.inspect(wanted);
    found.bytes[place] = bytes;
    digests[place] = digest;
    if (!facts) {
      broken.set(place, reason);
      return;
    }
    found.widths[place] = facts.width;
    found.heights[place] = facts.height;
    found.kinds[place] = PICTURE_KINDS.indexOf(facts.kind) + 1;
    found.grey[place] = Number(facts.grey);
    if (facts.picture) shown.set(place, facts.picture);
  };
  let next = 0;
  await Promise.all(Array.from({ length: AHEAD }, async () => {
    while (next < length) {
      await one(next++);
      done();
    }
  }));
  const sorted = new Map([...broken].sort(([a], [b]) => a - b));
  return { ...found, digests, broken: sorted, shown };
}
