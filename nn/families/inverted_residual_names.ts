import type { NamePair } from "../pretrained.ts";
import { type Place, placesOf, type Row, type Stage } from "./inverted_residual.ts";

/** The parts of a block in the order in which torchvision numbers them, by timm's names. */
function partsOf({ expand, squeeze = false }: Row): readonly (readonly string[])[] {
  const gate = squeeze ? [["se"]] : [];
  return expand === 1
    ? [["conv_dw", "bn1"], ...gate, ["conv_pw", "bn2"]]
    : [["conv_pw", "bn1"], ["conv_dw", "bn2"], ...gate, ["conv_pwl", "bn3"]];
}

/** What a block is called in torchvision. */
export interface BlockNaming {
  /** What comes before the numbers of its parts. */
  readonly prefix: (place: Place) => string;
  /** Whether the last convolution and its norm are parts by themselves, as in MobileNetV2. */
  readonly flat?: boolean;
}

/** Names of the layers of all blocks, torchvision's and timm's. */
export function blockNames(
  stages: readonly Stage[],
  { prefix, flat = false }: BlockNaming,
): NamePair[] {
  return placesOf(stages).flatMap((place) => {
    const [theirs, ours] = [prefix(place), `blocks.${place.s}.${place.b}`];
    const parts = partsOf(place.row);
    return parts.flatMap((part, k): NamePair[] => {
      if (part[0] === "se") {
        return [
          [`${theirs}.${k}.fc1`, `${ours}.se.conv_reduce`],
          [`${theirs}.${k}.fc2`, `${ours}.se.conv_expand`],
        ];
      }
      const last = flat && k === parts.length - 1;
      return part.map((name, j): NamePair => [
        last ? `${theirs}.${k + j}` : `${theirs}.${k}.${j}`,
        `${ours}.${name}`,
      ]);
    });
  });
}
