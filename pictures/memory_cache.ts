import type { Picture } from "../data/picture.ts";

/** Pictures after which it is known how large they are on average. */
const ENOUGH = 32;

/** Memory that is kept free for others, and the most that is ever taken. */
const [SHARE, MOST, UNKNOWN] = [1 / 4, 4 * 2 ** 30, 2 ** 30];

/** Memory for decoded pictures, which several preparations share. */
export interface MemoryBound {
  /** Bytes that are left. */
  left: number;
}

/**
 * Bytes that decoded pictures may take: a quarter of the memory that is free, at most 4 GiB; 1 GiB
 * where that may not be asked.
 */
export function memoryBound(): number {
  const { state } = Deno.permissions.querySync({ name: "sys", kind: "systemMemoryInfo" });
  if (state !== "granted") return UNKNOWN;
  return Math.min(Deno.systemMemoryInfo().available * SHARE, MOST);
}

/** How the pictures of one kind of preparation are kept. */
export interface MemoryOptions {
  /** The memory that there is, for all of them. */
  readonly bound: MemoryBound;
  /** Whether to keep those that fit where not all do. */
  readonly some: boolean;
}

/**
 * Keeps decoded pictures by their file, within a bound. After the first few it is known whether all
 * fit; where they do not, and some are no help, all are let go.
 */
export class MemoryCache {
  readonly #options: MemoryOptions;
  readonly #kept = new Map<string, Picture>();
  #count = 0;
  #bytes = 0;
  /** Bytes that all are expected to take, once that is known. */
  #reserved?: number;
  #open = true;

  constructor(options: MemoryOptions) {
    this.#options = options;
  }

  /** Says how many pictures a set has: of several sets the largest counts. */
  expect(count: number): void {
    this.#count = Math.max(this.#count, count);
  }

  /** The picture of a file, if it is kept. Nobody may write to it. */
  get(path: string): Picture | undefined {
    return this.#kept.get(path);
  }

  /** Keeps a picture, if there is room. */
  put(path: string, picture: Picture): void {
    const { bound, some } = this.#options;
    const count = this.#count;
    const bytes = picture.pixels.length;
    if (!this.#open || this.#kept.has(path)) return;
    // What is expected is a guess: where pictures are larger than it, there may yet be room for them.
    const more = Math.max(0, this.#bytes + bytes - (this.#reserved ?? 0));
    const taken = this.#reserved === undefined ? bytes : Math.min(more, bytes);
    if (taken > bound.left) {
      if (!some && this.#reserved === undefined) this.#letGo();
      return;
    }
    bound.left -= taken;
    this.#bytes += bytes;
    this.#kept.set(path, picture);
    if (some || this.#reserved !== undefined || this.#kept.size < Math.min(ENOUGH, count)) return;
    const expected = this.#bytes / this.#kept.size * count;
    if (expected - this.#bytes > bound.left) return this.#letGo();
    bound.left -= expected - this.#bytes;
    this.#reserved = expected;
  }

  #letGo(): void {
    this.#options.bound.left += Math.max(this.#reserved ?? 0, this.#bytes);
    this.#kept.clear();
    this.#open = false;
  }
}
