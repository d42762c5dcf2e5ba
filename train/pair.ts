import type { ImageSet } from "../data/image_set.ts";
import { Random } from "../data/random.ts";
import { adjoin, type Adjoined } from "../nn/compress/adjoin.ts";
import type { Network } from "../nn/network.ts";
import { model } from "../nn/families/mod.ts";
import { withDrops } from "../nn/drops.ts";
import { demandMaskedTaps } from "./effect.ts";
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

/** The pair of networks that the options describe, of the base network that a file has, if any. */
export function adjoinedOf(
  options: TrainOptions,
  images: ForImages,
  given?: Network,
): Adjoined {
  const { compression, trunk, maskFrom, maskingFactor, widths, seed, drop, dropPath } = options;
  const base = given ? withDrops(given, { drop, dropPath }) : baseOf(options, images);
  const random = new Random(seed, "spatial masks");
  const adjoined = adjoin(base, {
    compression,
    trunk,
    maskFrom,
    maskingFactor,
    widths,
    random: () => random.uniform(),
  });
  demandMaskedTaps(options, adjoined);
  return adjoined;
}
