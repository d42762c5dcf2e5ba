import type { Recipe } from "../../data/recipes.ts";

/** How the authors of adjoined networks trained on a data set. */
interface AuthorsRecipe extends Required<Recipe> {
  /** The highest learning rate. */
  readonly lr: number;
  /** The optimiser, with the authors' defaults. */
  readonly opt: "adamw" | "sgd";
}

/** What they did to images of all data sets. */
const IMAGES = { augment: "resized-crop", cropPct: 1 / 1.14 } as const;

/**
 * The recipes of the authors: their Table of data sets. Schedule, weight decay and momentum follow
 * from the optimiser, scale and ratio of crops are theirs by default.
 */
const AUTHORS = {
  imagenet: { ...IMAGES, imageSize: 224, batchSize: 256, lr: 4e-3, epochs: 60, opt: "adamw" },
  imagewoof: { ...IMAGES, imageSize: 224, batchSize: 256, lr: 0.1, epochs: 90, opt: "sgd" },
  cifar100: { ...IMAGES, imageSize: 32, batchSize: 32, lr: 4e-3, epochs: 150, opt: "adamw" },
  cifar10: { ...IMAGES, imageSize: 32, batchSize: 32, lr: 4e-3, epochs: 100, opt: "adamw" },
  pets: { ...IMAGES, imageSize: 224, batchSize: 64, lr: 1e-3, epochs: 100, opt: "adamw" },
} as const satisfies Readonly<Record<string, AuthorsRecipe>>;

/** The name of a recipe. */
export type AuthorsRecipeName = keyof typeof AUTHORS;

/** The names of all recipes. */
export const RECIPE_NAMES = Object.keys(AUTHORS) as readonly AuthorsRecipeName[];

/** The name of the recipe of options that measurements have shown to help small networks. */
export const BEST = "best";

/** The recipes of the authors, and the best. */
export const RECIPES: readonly (AuthorsRecipeName | typeof BEST)[] = [...RECIPE_NAMES, BEST];

/** Weights of small networks' cross entropy with the labels, by recipe. */
export const RECIPE_SMALL_ENTROPIES = { [BEST]: 1 } as const;

/** Epochs of small networks' fine-tuning, by recipe. */
export const RECIPE_TUNING_EPOCHS = { [BEST]: { as: "epochs" } } as const;

type ByRecipe<T> = Readonly<Record<AuthorsRecipeName, T>>;

/** One entry of all recipes, by name. */
function byRecipe<Key extends keyof AuthorsRecipe>(key: Key): ByRecipe<AuthorsRecipe[Key]> {
  return Object.fromEntries(RECIPE_NAMES.map((name) => [name, AUTHORS[name][key]])) as ByRecipe<
    AuthorsRecipe[Key]
  >;
}

/** Epochs by recipe. */
export const RECIPE_EPOCHS: ByRecipe<number> = byRecipe("epochs");

/** Batch sizes by recipe. */
export const RECIPE_BATCH_SIZES: ByRecipe<number> = byRecipe("batchSize");

/** Optimisers by recipe. */
export const RECIPE_OPTIMIZERS: ByRecipe<"adamw" | "sgd"> = byRecipe("opt");

/** Pixels of a side by recipe. */
export const RECIPE_IMAGE_SIZES: ByRecipe<number> = byRecipe("imageSize");

/** Shares of the shorter side that are validated on, by recipe. */
export const RECIPE_CROP_PCTS: ByRecipe<number> = byRecipe("cropPct");

/** Crops of training images by recipe. */
export const RECIPE_AUGMENTS: ByRecipe<Recipe["augment"]> = byRecipe("augment");

/** Learning rates by recipe; each is one for the optimiser of its recipe alone. */
export const RECIPE_RATES: Readonly<
  Record<string, { readonly opt: Readonly<Record<string, number>> }>
> = Object.fromEntries(
  RECIPE_NAMES.map((name) => [name, { opt: { [AUTHORS[name].opt]: AUTHORS[name].lr } }]),
);
