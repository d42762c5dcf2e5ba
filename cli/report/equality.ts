import { percent } from "../../data/words.ts";
import type { Verification } from "../../train/types.ts";
import { difference, grouped } from "../text.ts";

/**
 * The comparison of two networks in words: how far apart their logits, the scores of the classes,
 * are at most, and for how many of the images they give the same class.
 */
export function equalityLine(
  one: string,
  other: string,
  { maxDifference, top1Agreement, images }: Verification,
): string {
  const logits = `logits (class scores) ${
    maxDifference === 0 ? "the same" : `at most ${difference(maxDifference)} apart`
  }`;
  return `${one} equals ${other}: ${logits}, ${percent(top1Agreement)} same class over ` +
    `${grouped(images)} images`;
}
