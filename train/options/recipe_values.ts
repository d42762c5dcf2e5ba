import type { RECIPES } from "./authors.ts";
import { LOSSES } from "./loss_options.ts";
import { OPTIMIZATION } from "./optimization_options.ts";
import { type Option, type Section, type Value, withDefaults } from "./option.ts";
import type { TrainOptions } from "./train_options.ts";

const SECTIONS: readonly Section[] = [...LOSSES, ...OPTIMIZATION];
const OPTIONS: readonly Option[] = SECTIONS.flatMap(({ options }) => options);

/**
 * What options of training are with a recipe where they are something else without it, beside what
 * others are.
 */
export function recipeValues(
  recipe: typeof RECIPES[number],
  beside: Readonly<Record<string, Value>> = {},
): Partial<TrainOptions> {
  const usual = withDefaults(OPTIONS, beside);
  const differs = ([name, value]: readonly [string, Value]): boolean =>
    name !== "recipe" && JSON.stringify(value) !== JSON.stringify(usual[name]);
  const found = Object.entries(withDefaults(OPTIONS, { ...beside, recipe })).filter(differs);
  // Each is a value of the option of its name.
  return Object.fromEntries(found) as Partial<TrainOptions>;
}
