import { curable, cure } from "../../data/cure.ts";
import { printable } from "../../data/printable.ts";
import type { Network } from "../network.ts";
import type { Foreign } from "../pretrained.ts";
import { withDrops } from "../drops.ts";
import { checkChoice, checkOptionNames } from "../options.ts";
import {
  type Family,
  type Model,
  type ModelOptions,
  type Stem,
  STEMS,
  type Variant,
  VARIANTS,
} from "./family.ts";
import { CONVNEXTS } from "./convnext.ts";
import { DENSENETS } from "./densenet.ts";
import { EFFICIENTNETS } from "./efficientnet.ts";
import { MOBILENETS_V2 } from "./mobilenetv2.ts";
import { MOBILENETS_V3 } from "./mobilenetv3.ts";
import { RESNETS } from "./resnet.ts";
import { RESNEXTS } from "./resnext.ts";
import { SQUEEZENETS } from "./squeezenet.ts";
import { VGGS } from "./vgg.ts";
import { WIDE_RESNETS } from "./wide_resnet.ts";

export type { ModelOptions, Stem, Variant } from "./family.ts";
export { resnet, type ResNetOptions } from "./resnet.ts";

/** Every network that has a name. A family is a file and a line of this list. */
const MODELS: Family = {
  ...RESNETS,
  ...RESNEXTS,
  ...WIDE_RESNETS,
  ...VGGS,
  ...DENSENETS,
  ...SQUEEZENETS,
  ...MOBILENETS_V2,
  ...MOBILENETS_V3,
  ...EFFICIENTNETS,
  ...CONVNEXTS,
};

/** The names that {@link model} knows. */
export const MODEL_NAMES: readonly string[] = Object.keys(MODELS);

/** Those whose stem may be chosen. */
export const STEM_MODELS: readonly string[] = MODEL_NAMES.filter((name) => MODELS[name].stems);

/** Those whose variant may be chosen. */
export const VARIANT_MODELS: readonly string[] = MODEL_NAMES.filter((name) =>
  MODELS[name].variants
);

/** The variant that is built where none is asked for, of those that have a choice. */
export const DEFAULT_VARIANTS: Readonly<Record<string, Variant>> = Object.fromEntries(
  Object.entries(MODELS).flatMap(([name, { variants }]) => variants ? [[name, variants[0]]] : []),
);

/**
 * The stem that {@link model} builds: the one asked for, else the variant's or the model's own;
 * nothing for models that have but one, and for those of files.
 */
export function stemOf(
  name: string,
  { stem, variant }: { readonly stem?: Stem; readonly variant?: Variant },
): Stem | "torchvision" | undefined {
  return stem ?? (Object.hasOwn(MODELS, name) ? MODELS[name].stemOf?.(variant) : undefined);
}

/** How torchvision has the model of this name, where its names of layers are not timm's. */
export function torchvisionNames(name: string): Foreign | undefined {
  return Object.hasOwn(MODELS, name) ? MODELS[name].torchvision : undefined;
}

/** Raises a `RangeError` for a choice that a model does not have. */
function checkOffered(
  name: string,
  option: "stem" | "variant",
  { found, offered = [] }: { readonly found?: string; readonly offered?: readonly string[] },
): void {
  if (found === undefined || offered.includes(found)) return;
  const wanted = offered.length
    ? `the ${option} ${offered.join(" or ")}, or its own`
    : `no ${option} but its own`;
  throw curable(
    RangeError,
    `Cannot build model ${name}: wanted ${wanted}, found the ${option} ${found}`,
    cure`leave out ${{ option, words: `the ${option}` }}`,
  );
}

function found(name: string): Model {
  if (Object.hasOwn(MODELS, name)) return MODELS[name];
  throw new RangeError(
    `Cannot build model ${printable(String(name))}: wanted one of ${MODEL_NAMES.join(", ")}, ` +
      `found ${printable(String(name))}`,
  );
}

/**
 * A network by name: timm's names, and names of layers as timm has them. ResNets are the authors'
 * (`xresnet`) unless `variant` says otherwise; a stem of one convolution for small images is
 * `stem: "cifar"`. Raises a `RangeError` for an unknown name, stem or variant, for classes and
 * channels that are no whole numbers from 1 on, for shares to drop outside [0, 1), and for stems and
 * variants that a model does not have; a `TypeError` for options that there are not.
 */
export function model(name: string, options: ModelOptions): Network {
  const { classes, channels = 3, stem, variant, drop, dropPath } = options;
  const { stems, variants, build } = found(name);
  const what = `build model ${name}`;
  checkOptionNames(what, options, ["classes", "channels", "stem", "variant", "drop", "dropPath"]);
  checkChoice(what, "stem", stem, STEMS);
  checkChoice(what, "variant", variant, VARIANTS);
  checkOffered(name, "stem", { found: stem, offered: stems });
  checkOffered(name, "variant", { found: variant, offered: variants });
  return withDrops(build({ classes, channels, stem, variant }), { drop, dropPath });
}
