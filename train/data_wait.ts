import type { Batch, Batches } from "../data/batch.ts";

/** Counts the time in which batches are waited for. */
export class DataWait {
  /** Seconds so far. */
  seconds = 0;

  /** The batches, as they come. */
  async *over(batches: Batches): AsyncGenerator<Batch, void, void> {
    let since = performance.now();
    for await (const batch of batches) {
      this.seconds += (performance.now() - since) / 1000;
      yield batch;
      since = performance.now();
    }
  }
}
