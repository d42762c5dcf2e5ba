import { percent } from "../../data/words.ts";
import type { Verification } from "../../train/types.ts";
import { difference, grouped } from "../text.ts";

/**
 * How equal two networks were found to be, in words: how far apart their logits are at most, and of
 * how many images they give the same class.
 */
export function equalityLine(
  one: string,
  other: string,
  { maxDifference, top1Agreement, images }: Verification,
): string {
  return `${one} gives the logits (the scores of the classes) of ${other}: at most ` +
    `${difference(maxDifference)} apart, ${percent(top1Agreement)} same class over ` +
    `${grouped(images)} images`;
}
