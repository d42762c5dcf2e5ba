import { messageOf } from "../../data/message_of.ts";
import project from "../../deno.json" with { type: "json" };
import { entriesOf } from "../../nn/which.ts";
import { classScores } from "../../train/class_scores.ts";
import type { Predictions } from "../../train/predictions.ts";
import { isTest, type TrainResult } from "../../train/train.ts";
import { disagreements, EXAMPLES, examplesOf, mistakesOf, thumbnail, toldBy } from "./examples.ts";
import type { KeptClasses, KeptReport } from "./kept_report.ts";

/** Confusions of a network at most: all of twenty classes. */
const MOST_CONFUSED = 400;

/** How a network tells classes apart. */
export function keptClasses(
  { classes, counts }: Pick<Predictions, "classes" | "counts">,
): KeptClasses {
  const scores = classScores({ classes, counts });
  const confused: [label: number, predicted: number, count: number][] = [];
  counts.forEach((count, i) => {
    const [label, predicted] = [Math.floor(i / classes), i % classes];
    if (count && label !== predicted) confused.push([label, predicted, count]);
  });
  return {
    images: scores.map(({ images }) => images),
    right: scores.map((_, label) => counts[label * classes + label]),
    predicted: scores.map(({ predicted }) => predicted),
    confused: confused.sort(([, , a], [, , b]) => b - a).slice(0, MOST_CONFUSED),
  };
}

/** The release, that of Deno, and the system. */
function versions(): Record<string, string> {
  const { build: { os, arch }, version: { deno } } = Deno;
  return { adjoin: project.version, Deno: deno, system: `${os}, ${arch}` };
}

/** What networks say of validation images, and the names of the classes. */
export type Measured = Pick<TrainResult, "predictions" | "validation" | "classes">;

/**
 * What a run keeps for its report: how its networks tell classes apart, and images on which they
 * differ or are wrong, with thumbnails. Reads those images once more; `note` is told, once, of those
 * that cannot be shown.
 */
export async function keepReport(
  { predictions, validation, classes }: Measured,
  { command, note }: {
    /** The command line as it was typed. */
    readonly command: readonly string[];
    readonly note: (text: string) => void;
  },
): Promise<KeptReport> {
  const networks = entriesOf(predictions);
  const small = networks.filter(([name]) => name !== "base");
  const base = networks.filter(([name]) => name === "base");
  // Of several small networks the smallest, which is the last, differs most.
  const two = [...base, ...small.slice(-1)];
  const between = two.map(([name]) => name);
  const told = toldBy(two);
  const differing = between.length > 1 ? disagreements(told, between) : [];
  const seen = new Set(differing.slice(0, EXAMPLES).map(({ place }) => place));
  const wrong = mistakesOf(told, between[between.length - 1] ?? "")
    .filter(({ place }) => !seen.has(place));
  let failed = false;
  const thumbnails = (place: number): Promise<string | undefined> =>
    thumbnail(validation, place).catch((error) => {
      if (!failed) note(`Cannot show pictures in report.html: ${messageOf(error)}`);
      failed = true;
      return undefined;
    });
  return {
    versions: versions(),
    command,
    test: isTest({ validation }),
    images: validation.length,
    classes,
    networks: Object.fromEntries(networks.map(([name, counted]) => [name, keptClasses(counted)])),
    between,
    disagreeing: differing.length,
    disagreements: await examplesOf(differing, { validation, thumbnails }),
    mistakes: await examplesOf(wrong, { validation, thumbnails }),
  };
}
