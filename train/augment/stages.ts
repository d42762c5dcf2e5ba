import type { ImageSet } from "../../data/image_set.ts";
import type { Normalization } from "../../data/dataset.ts";
import type { TrainOptions } from "../options/train_options.ts";
import { erasing } from "./erasing.ts";
import { jittering } from "./jittering.ts";
import { mixing } from "./mixing.ts";
import { parseRandPolicy } from "./rand_policy.ts";
import { randStages } from "./rand_stages.ts";
import type { Mixing, Stage } from "./stage.ts";

/** The size of images, and what their pixels are normalised by. */
export interface Shown extends Pick<ImageSet, "height" | "width"> {
  readonly normalization: Normalization;
}

/** What the options do to images that have been cropped, in timm's order. */
export function stagesOf(options: TrainOptions, shown: Shown): Stage[] {
  const { aa, colorJitter, reprob, remode } = options;
  const stages: Stage[] = [];
  if (aa) {
    const fill = shown.normalization.mean.map((m) => Math.min(255, Math.round(255 * m)));
    stages.push(...randStages(parseRandPolicy(aa), fill));
  }
  if (colorJitter > 0) stages.push(jittering(colorJitter));
  if (reprob > 0) stages.push(erasing({ probability: reprob, mode: remode, ...shown }));
  return stages;
}

/** What the options do last, to images in pairs. */
export function mixingOf({ mixup, cutmix }: TrainOptions, shown: Shown): Mixing | undefined {
  return mixup > 0 || cutmix > 0 ? mixing({ mixup, cutmix, ...shown }) : undefined;
}
