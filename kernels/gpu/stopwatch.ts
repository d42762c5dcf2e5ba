import type { Device } from "./device.ts";
import { USAGE } from "./usage.ts";

/** The most timestamps of a query set. */
const MOST_QUERIES = 4096;

const PASSES = MOST_QUERIES / 2;

/** When a pass began and ended, in milliseconds after the first began. */
export interface Lap {
  readonly begin: number;
  readonly end: number;
}

/** Times passes by the clock of the device. */
export class Stopwatch implements Disposable {
  readonly #gpu: Device;
  readonly #passes: number;
  readonly #sets: readonly GPUQuerySet[];
  readonly #resolved: GPUBuffer;
  readonly #staging: GPUBuffer;

  /** Takes the number of passes, on a device that has timestamps. */
  constructor(gpu: Device, passes: number) {
    const { device } = gpu;
    this.#gpu = gpu;
    this.#passes = passes;
    this.#sets = Array.from(
      { length: Math.ceil(passes / PASSES) },
      () => device.createQuerySet({ type: "timestamp", count: MOST_QUERIES }),
    );
    const size = this.#sets.length * MOST_QUERIES * 8;
    const [resolved, staging] = [
      USAGE.QUERY_RESOLVE | USAGE.COPY_SRC,
      USAGE.MAP_READ | USAGE.COPY_DST,
    ];
    const buffer = (label: string, usage: number): GPUBuffer =>
      gpu.ownBuffer({ label, size, usage });
    this.#resolved = buffer("timestamps", resolved);
    this.#staging = buffer("timestamps, read", staging);
  }

  /** Whether a device has timestamps. */
  static on({ device }: Device): boolean {
    return device.features.has("timestamp-query");
  }

  /** The descriptor of pass `i`. */
  pass(i: number): GPUComputePassDescriptor {
    const at = i % PASSES * 2;
    const querySet = this.#sets[Math.floor(i / PASSES)];
    return {
      timestampWrites: {
        querySet,
        beginningOfPassWriteIndex: at,
        endOfPassWriteIndex: at + 1,
      },
    };
  }

  /** Records the resolution of the timestamps, after the passes. */
  finish(encoder: GPUCommandEncoder): void {
    this.#sets.forEach((set, i) => {
      const count = Math.min(PASSES, this.#passes - i * PASSES) * 2;
      encoder.resolveQuerySet(set, 0, count, this.#resolved, i * MOST_QUERIES * 8);
    });
    encoder.copyBufferToBuffer(this.#resolved, 0, this.#staging, 0, this.#passes * 16);
  }

  /** When each pass began and ended, once all is done. */
  async read(): Promise<Lap[]> {
    const ticks = new BigUint64Array(await this.#gpu.map(this.#staging, this.#passes * 16));
    const at = (i: number): number => Number(ticks[i] - ticks[0]) / 1e6;
    const found = Array.from(
      { length: this.#passes },
      (_, i) => ({ begin: at(2 * i), end: at(2 * i + 1) }),
    );
    this.#staging.unmap();
    return found;
  }

  /** Frees its memory. */
  [Symbol.dispose](): void {
    for (const set of this.#sets) set.destroy();
    this.#gpu.free(this.#resolved);
    this.#gpu.free(this.#staging);
  }
}
