import { dirname } from "node:path";
import { DataError } from "../data/error.ts";
import type { Picture } from "../data/picture.ts";
import type { PictureSource } from "../data/pictures.ts";
import { type Preparation, preparedArea } from "../data/preparation.ts";
import { printable } from "../data/printable.ts";
import type { LeftOut } from "./left_out.ts";
import type { MemoryCache } from "./memory_cache.ts";
import type { PictureWorkers } from "./picture_workers.ts";

/** Pictures in files, and all that they need. */
export interface FilePicturesOptions {
  readonly files: readonly string[];
  readonly preparation: Preparation;
  readonly workers: PictureWorkers;
  readonly leftOut: LeftOut;
  /** Keeps what has been decoded. */
  readonly memory?: MemoryCache;
  /** The folder that keeps what has been decoded. */
  readonly cache?: Promise<string | undefined>;
}

/** The highest folder above a file that is not there any more, if one is not. */
async function lostFolder(file: string): Promise<string | undefined> {
  let lost: string | undefined;
  for (let folder = dirname(file); folder !== dirname(folder); folder = dirname(folder)) {
    const found = await Deno.stat(folder).catch(() => undefined);
    if (found?.isDirectory) break;
    lost = folder;
  }
  return lost;
}

/** Pictures in files, decoded by workers when they are asked for. */
export class FilePictures implements PictureSource {
  /** Pixels of the largest picture. */
  readonly area: number;
  /** Whether pictures have sizes of their own. */
  readonly varied: boolean;
  readonly #options: FilePicturesOptions;
  readonly #broken = new Map<number, string>();
  /** Why there can be no more pictures. */
  #ended?: DataError;

  constructor(options: FilePicturesOptions) {
    this.area = preparedArea(options.preparation);
    this.varied = options.preparation.kind === "level";
    this.#options = options;
  }

  /** The picture at a place, or nothing where it is broken. */
  async read(place: number): Promise<Picture | undefined> {
    const { files, preparation, workers, memory, cache } = this.#options;
    if (this.#ended) throw this.#ended;
    const path = files[place];
    if (path === undefined) {
      throw new RangeError(`Cannot read picture ${place}: there are ${files.length}`);
    }
    if (this.#broken.has(place)) return undefined;
    const kept = memory?.get(path);
    if (kept) return kept;
    const decoded = await workers.decode({ path, preparation, cache: await cache });
    if (decoded.kind === "picture") {
      memory?.put(path, decoded.picture);
      return decoded.picture;
    }
    const lost = decoded.kind === "missing" ? await lostFolder(path) : undefined;
    if (lost !== undefined) {
      throw this.#ended ??= new DataError(
        `Cannot read the pictures any further: wanted the folder ${printable(lost, 300)}, ` +
          `found it gone; put it back and start again`,
      );
    }
    this.#leaveOut(place, decoded.reason);
    return undefined;
  }

  #leaveOut(place: number, reason: string): void {
    const { files, leftOut } = this.#options;
    leftOut.add(files[place], reason);
    this.#broken.set(place, files[place]);
    this.#ended ??= leftOut.tooMany([...this.#broken.values()], files.length);
    if (this.#ended) throw this.#ended;
  }
}
