import type { Batch } from "../../data/batch.ts";
import { printable } from "../../data/printable.ts";
import { frameOf } from "../../data/rows.ts";
import { firstBatches } from "../../train/first_batches.ts";
import type { Job } from "../../train/job.ts";
import type { Fact } from "./header.ts";

/** Classes that are told at most. */
const MOST = 12;

/** What batches come to: pixels and their sums by channel, images by class, sizes of images. */
interface Tally {
  readonly sums: number[];
  pixels: number;
  readonly classes: Map<number, number>;
  readonly sides: number[];
}

/** Adds the images of a batch. */
function add(tally: Tally, batch: Batch, { split: { train } }: Job): void {
  const { channels } = train;
  const { bytes } = frameOf(train);
  for (let i = 0; i < batch.count; i++) {
    const height = batch.sizes?.[2 * i] ?? train.height;
    const width = batch.sizes?.[2 * i + 1] ?? train.width;
    const from = i * bytes;
    for (let at = 0; at < height * width * channels; at++) {
      tally.sums[at % channels] += batch.pixels[from + at];
    }
    tally.pixels += height * width;
    tally.sides.push(height, width);
    const label = batch.labels[i];
    tally.classes.set(label, (tally.classes.get(label) ?? 0) + 1);
  }
}

/** The classes of a batch with how many images each has, the most first. */
function classWords({ classes }: Tally, names: readonly string[]): string {
  const rows = [...classes].sort((a, b) => b[1] - a[1] || a[0] - b[0]);
  const words = rows.slice(0, MOST).map(([label, n]) => `${printable(names[label], 20)} ${n}`);
  const more = rows.length - words.length;
  return [...words, ...more > 0 ? [`and ${more} classes more`] : []].join(", ");
}

/**
 * The first batch of a run, before it is cropped and augmented: images, classes, and the mean of the
 * pixels of each channel, from 0 to 255. Raises what reading pictures raises.
 */
export async function firstBatchFacts(job: Job): Promise<Fact[]> {
  const { split: { train }, options: { batchSize }, batches, accumulation } = job;
  const sums = new Array<number>(train.channels).fill(0);
  const tally: Tally = { sums, pixels: 0, classes: new Map(), sides: [] };
  for await (const batch of firstBatches(batches, accumulation)) add(tally, batch, job);
  const [least, most] = [Math.min(...tally.sides), Math.max(...tally.sides)];
  const read = frameOf(train).varied ? `, read with sides of ${least} to ${most} pixels` : "";
  const means = tally.sums.map((sum) => (sum / tally.pixels).toFixed(1));
  return [
    [
      "first batch",
      `${batchSize} images of ${train.width}x${train.height} pixels, ` +
      `${train.channels === 1 ? "1 channel" : `${train.channels} channels`}${read}`,
    ],
    ["classes", classWords(tally, train.classes)],
    ["mean", `${means.join(" ")} of 255, before augmentation`],
  ];
}
