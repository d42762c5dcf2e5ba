import type { OpenPictures } from "../data/pictures.ts";
import type { Preparation } from "../data/preparation.ts";
import { openDiskCache } from "./disk_cache.ts";
import { FilePictures } from "./file_pictures.ts";
import { LeftOut } from "./left_out.ts";
import { memoryBound, MemoryCache } from "./memory_cache.ts";
import { PictureWorkers } from "./picture_workers.ts";

/** Where decoded pictures are kept. */
export const CACHES = ["memory", "disk", "none"] as const;

/** One of {@link CACHES}. */
export type Cache = typeof CACHES[number];

/** Workers at most, unless told. */
const MOST_WORKERS = 8;

/** How pictures in files are decoded. */
export interface PicturePoolOptions {
  /** The folder below which files are named in messages. */
  readonly dataDir: string;
  /** How many decode at a time; one for each core unless told, at most 8. */
  readonly workers?: number;
  /** Where what is decoded is kept; unless told in memory, where all of it fits. */
  readonly cache?: Cache;
  /** The folder of the cache on disk; without one there is none. */
  readonly cacheFolder?: string;
  /** Whether one broken picture is too many; more than 1 % and more than one are, unless told. */
  readonly strict?: boolean;
  /** Is told of broken pictures, which are left out. */
  readonly note?: (text: string) => void;
}

/** Decodes pictures in files until it is disposed of. */
export interface PicturePool extends Disposable {
  /** Opens the pictures of some files. */
  readonly open: OpenPictures;
}

/** The number of workers unless told. */
export function defaultWorkers(): number {
  return Math.min(navigator.hardwareConcurrency, MOST_WORKERS);
}

/**
 * Opens workers that decode pictures in files. They start with the first picture, and keep the
 * program alive until the pool is disposed of. What is read does not depend on their number.
 */
export function openPicturePool(
  { dataDir, workers: count = defaultWorkers(), cache, cacheFolder, ...options }:
    PicturePoolOptions,
): PicturePool {
  const { strict = false, note = () => {} } = options;
  const workers = new PictureWorkers({ count });
  const leftOut = new LeftOut({ dataDir, strict, note });
  const bound = { left: memoryBound() };
  const memories = new Map<string, MemoryCache>();
  /** Runs on the same files share what is kept. */
  const memoryOf = (preparation: Preparation): MemoryCache | undefined => {
    if (cache === "disk" || cache === "none") return undefined;
    const key = JSON.stringify(preparation);
    const memory = memories.get(key) ?? new MemoryCache({ bound, some: cache === "memory" });
    memories.set(key, memory);
    return memory;
  };
  return {
    open: (files, preparation) => {
      const memory = memoryOf(preparation);
      memory?.expect(files.length);
      return new FilePictures({
        ...{ files, preparation, workers, leftOut, memory },
        cache: cache === "disk" && cacheFolder !== undefined
          ? openDiskCache(cacheFolder, dataDir, preparation)
          : undefined,
      });
    },
    [Symbol.dispose]: () => {
      workers[Symbol.dispose]();
      leftOut.finish();
    },
  };
}
