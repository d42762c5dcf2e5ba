import type { Preparation } from "../data/preparation.ts";
import type { CheckpointInfo } from "./metadata.ts";

/**
 * How pictures are made ready for a saved network: as those that it was validated on. Raises a
 * `TypeError` for a network of images that are neither grey nor RGB.
 */
export function picturePreparation(
  { image: [height, width, channels], cropPct = 1, interpolation = "bilinear" }: Pick<
    CheckpointInfo,
    "image" | "cropPct" | "interpolation"
  >,
): Preparation {
  if (channels !== 1 && channels !== 3) {
    throw new TypeError(
      `Cannot show the network pictures: wanted one of images with 1 or 3 channels, found one for ` +
        `${channels}`,
    );
  }
  return { kind: "central", channels, size: height, width, cropPct, interpolation };
}
