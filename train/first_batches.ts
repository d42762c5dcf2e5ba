import type { Batch, EpochBatches } from "../data/batch.ts";

/** So many batches of a training set from the first on, those of later epochs where one has fewer. */
export async function* firstBatches(
  batches: EpochBatches,
  count: number,
): AsyncGenerator<Batch, void, void> {
  let left = count;
  for (let epoch = 0; left > 0; epoch++) {
    for await (const batch of batches.epoch(epoch)) {
      yield batch;
      if (--left === 0) return;
    }
  }
}
