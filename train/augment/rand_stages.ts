import type { Random } from "../../data/random.ts";
import { type Operation, OPERATIONS, randAugment } from "../../kernels/ops/rand_augment.ts";
import type { RandPolicy } from "./rand_policy.ts";
import type { Stage } from "./stage.ts";

/** The magnitude at which everything is at its end. */
const MOST = 10;
/** The share of operations that are carried out. */
const PROBABILITY = 0.5;

/** What an operation is told, by the part of the most that a magnitude is, from 0 to 1. */
type Level = (part: number, random: Random) => number;

const eitherSign = (value: number, random: Random): number =>
  random.uniform() < 0.5 ? value : -value;

const none: Level = () => 0;
const enhance: Level = (part) => part * 1.8 + 0.1;
const shear: Level = (part, random) => eitherSign(part * 0.3, random);
const translate: Level = (part, random) => eitherSign(part * 0.45, random);
const posterize = (part: number): number => Math.trunc(part * 4);
const solarize = (part: number): number => Math.trunc(part * 256);
const enhanceMore: Level = (part, random) => Math.max(0.1, 1 + eitherSign(part * 0.9, random));

/** timm's formulas. */
const LEVELS: Readonly<Record<Exclude<Operation, "Identity">, Level>> = {
  AutoContrast: none,
  Equalize: none,
  Invert: none,
  Rotate: (part, random) => eitherSign(part * 30, random),
  Posterize: posterize,
  Solarize: solarize,
  SolarizeAdd: (part) => Math.min(128, Math.trunc(part * 110)),
  Color: enhance,
  Contrast: enhance,
  Brightness: enhance,
  Sharpness: enhance,
  ShearX: shear,
  ShearY: shear,
  TranslateXRel: translate,
  TranslateYRel: translate,
};

/** Those that are others where operations grow with the magnitude. */
const INCREASING: Partial<typeof LEVELS> = {
  Posterize: (part) => 4 - posterize(part),
  Solarize: (part) => 256 - solarize(part),
  Color: enhanceMore,
  Contrast: enhanceMore,
  Brightness: enhanceMore,
  Sharpness: enhanceMore,
};

const DRAWN = OPERATIONS.filter((name) => name !== "Identity");

/** An operation and its magnitude, as {@link randAugment} takes them. */
function drawOperation(
  random: Random,
  { magnitude, deviation, increasing }: RandPolicy,
): [operation: number, magnitude: number] {
  const name = DRAWN[random.integer(DRAWN.length)];
  if (random.uniform() >= PROBABILITY) return [OPERATIONS.indexOf("Identity"), 0];
  const drawn = deviation > 0 ? magnitude + deviation * random.normal() : magnitude;
  const part = Math.max(0, Math.min(drawn, MOST)) / MOST;
  const level = increasing ? INCREASING[name] ?? LEVELS[name] : LEVELS[name];
  return [OPERATIONS.indexOf(name), level(part, random)];
}

/**
 * RandAugment, as timm's `--aa`: a stage for each operation on an image, which is any one of 15,
 * carried out half the time. `fill` are the values of each channel, from 0 to 255, around images that
 * were moved.
 */
export function randStages(policy: RandPolicy, fill: readonly number[]): Stage[] {
  return Array.from({ length: policy.layers }, (_, layer) => ({
    draw: {
      name: `rand augment ${layer + 1}`,
      numbers: 2,
      fill(numbers, { length, image }) {
        for (let row = 0; row < length; row++) {
          numbers.set(drawOperation(image(row), policy), row * 2);
        }
      },
    },
    record: (apply, images, numbers) => apply(randAugment, [images, numbers], { fill })[0],
  }));
}
