import type { Widths } from "../../nn/compress/adjoin.ts";
import type { WidthsByName } from "../small_widths.ts";
import { CHECKPOINTS } from "./checkpoint_options.ts";
import { IMAGES } from "./image_options.ts";
import { LOSSES } from "./loss_options.ts";
import { NETWORKS } from "./network_options.ts";
import { OPTIMIZATION } from "./optimization_options.ts";
import type { OptionOf, Section, Values } from "./option.ts";

const SECTIONS = [...NETWORKS, ...LOSSES, ...IMAGES, ...OPTIMIZATION, ...CHECKPOINTS] as const;

type Flags = Values<OptionOf<typeof SECTIONS[number], "train">>;

/** The options of a training run: those of `train` in the tables of this folder. */
export interface TrainOptions extends Omit<Flags, "widths"> {
  /**
   * Filters that masked convolutions keep, by name, instead of `compression`: the first so many, or
   * those of these indices. Of several small networks: these by the name of the network.
   */
  readonly widths?: Widths | WidthsByName;
  /** The run folder. */
  readonly output: string;
}

/** The tables of all options of training. */
export const TRAINING: readonly Section[] = SECTIONS;

const NAMES: ReadonlySet<string> = new Set(
  TRAINING.flatMap(({ options }) => options.map(({ name }) => name)),
);

/** Those of some values that are options of training. */
export function trainingValues<V extends object>(values: V): Pick<V, keyof V & keyof TrainOptions> {
  const found = Object.entries(values).filter(([name]) => NAMES.has(name));
  return Object.fromEntries(found) as Pick<V, keyof V & keyof TrainOptions>;
}
