import type { ImageSet } from "../data/image_set.ts";
import { Random } from "../data/random.ts";
import { adjoin, type Adjoined, type SmallOptions } from "../nn/compress/adjoin.ts";
import type { Network } from "../nn/network.ts";
import { model } from "../nn/families/mod.ts";
import type { SmallName } from "../nn/which.ts";
import { withDrops } from "../nn/drops.ts";
import { demandMaskedTaps } from "./effect.ts";
import { widthsByName } from "./small_widths.ts";
import type { TrainOptions } from "./types.ts";

/** What networks take and tell apart. */
export type ForImages = Pick<ImageSet, "classes" | "channels">;

/** The base network that the options describe. */
export function baseOf(
  { model: name, stem, variant, drop, dropPath }: Pick<
    TrainOptions,
    "model" | "stem" | "variant" | "drop" | "dropPath"
  >,
  { classes, channels }: ForImages,
): Network {
  return model(name, { classes: classes.length, channels, stem, variant, drop, dropPath });
}

/** A small network that options describe. */
interface DescribedSmall extends SmallOptions {
  readonly which: SmallName;
}

/** The small networks that the options describe: by compression, or by widths. */
function smallOf(
  { compression, widths }: Pick<TrainOptions, "compression" | "widths">,
): DescribedSmall[] {
  const named = new Map(widthsByName(widths));
  if (typeof compression === "number") {
    if (!named.size) return [{ which: "small", compression }];
    return [...named].map(([which, widths]) => ({ which, compression, widths }));
  }
  return compression.map((alpha) => {
    const which = compression.length === 1 ? "small" : `small-${alpha}` as const;
    return { which, compression: alpha, widths: named.get(which) };
  });
}

/**
 * The pairs that the options describe, one for each small network, of the base network that a file
 * has, if any.
 */
export function pairsFor(
  options: Pick<
    TrainOptions,
    | ("compression" | "roundTo" | "widths" | "trunk" | "maskFrom" | "maskingFactor" | "seed")
    | ("model" | "stem" | "variant" | "drop" | "dropPath")
  >,
  images: ForImages,
  given?: Network,
): readonly Adjoined[] {
  const { roundTo, trunk, maskFrom, maskingFactor, seed, drop, dropPath } = options;
  const base = given ? withDrops(given, { drop, dropPath }) : baseOf(options, images);
  const small = smallOf(options).map(({ which, ...own }) => {
    const random = new Random(
      seed,
      which === "small" ? "spatial masks" : `spatial masks of ${which}`,
    );
    const name = which === "small" ? undefined : which.slice("small-".length);
    return { ...own, name, random: () => random.uniform() };
  });
  const pairs = adjoin(base, { roundTo, trunk, maskFrom, maskingFactor, small });
  for (const pair of pairs) demandMaskedTaps(options, pair);
  return pairs;
}
