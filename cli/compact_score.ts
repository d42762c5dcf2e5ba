// What files in fewer bits get right, beside the file of float32.
import type { Batch } from "../data/batch.ts";
import { validationBatches } from "../data/picture_batches.ts";
import { percent, plural } from "../data/words.ts";
import { networkWords, type Which } from "../nn/which.ts";
import { VerificationError } from "../train/errors.ts";
import { ImageWork } from "../train/image_work.ts";
import { LogitsScore } from "../train/logits_score.ts";
import type { Reporter } from "../train/types.ts";
import type { LogitsOf } from "../train/verify.ts";
import type { ExportSource } from "./run/export_source.ts";
import { grouped } from "./text.ts";

/** Images measured at a time. */
const BATCH = 32;

/** A kind of numbers of less than 32 bits, which the names of their files have. */
export type CompactPrecision = "int8" | "fp16";

/** What a file gets right, and the class that it gives each image. */
export interface Scored {
  readonly score: LogitsScore;
  readonly classes: readonly number[];
}

/** The index of the largest logit of each image. */
function classesOf({ count }: Batch, logits: Float32Array): number[] {
  const classes = logits.length / count;
  return Array.from({ length: count }, (_, i) => {
    const own = logits.subarray(i * classes, (i + 1) * classes);
    return own.reduce((best, value, c) => value > own[best] ? c : best, 0);
  });
}

/** Counts what each of some files gets right of the same images. */
export async function scored(
  files: readonly LogitsOf[],
  { dataset, reporter, what }: Pick<ExportSource, "dataset"> & {
    readonly reporter: Pick<Reporter, "work">;
    /** What is done, in words. */
    readonly what: string;
  },
): Promise<Scored[]> {
  const found = files.map((logits) => {
    const classes: number[] = [];
    return { logits, score: new LogitsScore(dataset.classes.length), classes };
  });
  const work = new ImageWork({ work: { what, total: dataset.length }, reporter });
  for await (const batch of validationBatches({ dataset, batch: BATCH })) {
    for (const { logits: logitsOf, score, classes } of found) {
      const logits = await logitsOf(batch);
      score.add(batch, logits);
      classes.push(...classesOf(batch, logits));
    }
    work.sent(batch.count);
    work.waited();
  }
  return found;
}

/** Part of the images that two files give the same class. */
export function agreementOf(a: Scored, b: Scored): number {
  return a.classes.filter((c, i) => c === b.classes[i]).length / a.classes.length;
}

/** Raises a {@link VerificationError} where a file gets too few images right. */
export function demandTop1(
  [{ score: float32 }, { score: compact }]: readonly [Scored, Scored],
  { which, precision, maxDrop, where }: {
    readonly which: Which;
    readonly precision: CompactPrecision;
    /** Points of top-1 that may be lost. */
    readonly maxDrop: number;
    /** Where the file ran, in words. Default: it is not said. */
    readonly where?: string;
  },
): void {
  const { images } = float32;
  // Of whole images, so that a drop of just what is allowed is one.
  const drop = 100 * (float32.right - compact.right) / images;
  if (drop <= maxDrop) return;
  const cures = precision === "int8"
    ? "another --calibration, more --calibration-images, or a larger --max-drop"
    : "a larger --max-drop";
  throw new VerificationError(
    `Cannot export the ${networkWords(which)} in ${precision}: wanted top-1 to fall by at most ` +
      `${plural(maxDrop, "point")}${where === undefined ? "" : ` in ${where}`}, found ` +
      `${Number(drop.toFixed(2))}, from ${percent(float32.score.top1)} to ` +
      `${percent(compact.score.top1)} of ${grouped(images)} images; nothing was written; try ` +
      cures,
  );
}
