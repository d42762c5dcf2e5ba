import { LOSSES } from "../options/loss_options.ts";
import type { Option } from "../options/option.ts";

const OPTIONS: readonly Option[] = LOSSES.flatMap(({ options }) => options);

/** Options that have an effect where two networks are trained on one set of weights. */
export const OF_PAIRS: readonly string[] = ["detach", ...OPTIONS.map(({ name }) => name)];

/** Options that have one where a teacher is trained on, too. */
export const OF_TAUGHT: readonly string[] = OPTIONS
  .filter(({ only }) => only?.mode?.includes("distill") ?? true).map(({ name }) => name);
