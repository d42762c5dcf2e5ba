import { listed } from "../data/words.ts";
import type { Checkpoint } from "../export/checkpoint.ts";
import type { Limited, WidthsFile } from "../export/widths_file.ts";
import type { ByNetwork } from "../nn/which.ts";
import { rankedForSearch } from "../train/importance.ts";
import { withDefaults } from "../train/options/option.ts";
import type { SearchOptions } from "../train/limited_cost.ts";
import { search as searchJob, searchOn } from "../train/search.ts";
import { begun } from "./begun.ts";
import { demandData } from "./demand_given.ts";
import { inputsOf } from "./inputs.ts";
import type { BySmall } from "./networks_of.ts";
import { optionsOf } from "./own_options.ts";
import type { SearchSettings } from "./run_settings.ts";
import { type Trained, trainedOf } from "./train.ts";
import { TrainingRun } from "./training_run.ts";
import { deviceOf } from "./device_of.ts";

/** What a search came to without a training after it. */
export interface FoundWidths<Widths = Readonly<ByNetwork<WidthsFile>>> {
  /**
   * The widths by small network, `small` or of several budgets `small-0.5` and so on; without those
   * that had been found before the run went on. Content of the command line's widths.json.
   */
  readonly widths: Widths;
}

/** What a search and the training after it came to. */
export interface Searched<Networks, Widths> extends Trained<Networks>, FoundWidths<Widths> {}

/** The result of a search, by whether its networks are trained, and by budgets. */
export type SearchedOf<B, O> = O extends true ? FoundWidths<BySmall<B, WidthsFile>>
  : Searched<BySmall<B, Checkpoint> & { readonly base: Checkpoint }, BySmall<B, WidthsFile>>;

/** The limited cost and its limits; raises a `TypeError` unless there is just one. */
function limited(
  { budgetMacs: macs, budgetParams: params, cost, budget }: SearchSettings,
): Pick<SearchOptions<Limited>, "budgeted" | "budget" | "more" | "cost"> {
  const all = { macs, params, cost: cost && budget };
  const given = (["macs", "params", "cost"] as const).filter((name) => all[name] !== undefined);
  const names = { macs: "budgetMacs", params: "budgetParams", cost: "cost with budget" };
  const [budgeted] = given;
  if (given.length !== 1 || (cost === undefined) !== (budget === undefined)) {
    throw new TypeError(
      `Cannot search: wanted one of ${listed(Object.values(names), "or")}, found ` +
        (listed(given.map((name) => names[name])) || "none"),
    );
  }
  const [first, ...more] = [all[budgeted] ?? []].flat();
  return { budgeted, cost, budget: first, ...more.length ? { more } : {} };
}

/** The options of the search out of those of the run. */
function searchOptions(settings: SearchSettings): SearchOptions<Limited> {
  const own = optionsOf("search");
  const asked = Object.entries(settings).filter(([name, value]) =>
    value !== undefined && own.some((option) => option.name === name)
  );
  const values = withDefaults(own, Object.fromEntries(asked));
  const { divisors, searchEpochs, searchLr, temperature, endTemperature: end } = values as Required<
    Pick<
      SearchSettings,
      "divisors" | "searchEpochs" | "searchLr" | "temperature" | "endTemperature"
    >
  >;
  return {
    ...limited(settings),
    ...{ divisors, epochs: searchEpochs, lr: searchLr, temperature: [temperature, end] },
  };
}

/**
 * Learns the width of each layer of the small network within a budget, then trains both networks with
 * these widths, as `deno task search` does.
 *
 * The budget is of multiply-accumulates, of parameters, or of a cost of one's own: a polynomial of the
 * gates of the widths, for which `CostSum` adds up layers. See {@link train} for what the run does
 * with the GPU.
 *
 * ```ts
 * import { generatedSplit, search } from "@adjoin/adjoin";
 *
 * const data = generatedSplit({ train: 64, validation: 32, size: 16, seed: 1 });
 * const { widths, networks } = await search({
 *   data,
 *   model: "resnet8",
 *   maskFrom: 1,
 *   budgetMacs: 0.8,
 *   searchEpochs: 2,
 *   epochs: 1,
 *   batchSize: 32,
 * });
 * console.log(widths.small.widths, widths.small.found, networks.small.top1);
 * ```
 *
 * @param options Images, a budget, and the options of the command line in camelCase.
 * @returns The run, to be awaited for its result, and iterated over for its epochs.
 * @throws {TypeError} For options that there are not, and values of another kind, at once.
 * @throws {RangeError} For values out of range, at once.
 * @throws {DataError} For images, networks and checkpoints that do not fit, at once.
 */
export function search<
  const B extends number | readonly number[] = number,
  const O extends boolean = false,
>(options: SearchSettings<B, O>): TrainingRun<SearchedOf<B, O>> {
  demandData("Cannot search", options);
  const device = deviceOf(options);
  const { signal, fromScratch = false, widthsOnly } = options;
  const find = searchOptions(options);
  const { from, resolved } = begun("search", options);
  const training = { ...resolved, mode: "adjoined", which: "base", compression: 1 } as const;
  const read = inputsOf(options, training, from);
  return new TrainingRun(async ({ reporter, course }) => {
    // As in the state of a run that goes on.
    const { options: ordered, ranks } = from
      ? { options: training, ranks: from.run.ranks }
      : await rankedForSearch(read, training, { reporter, ...device });
    const opened = searchOn({ ...read, ranks }, ordered, find);
    const found: Record<string, WidthsFile> = {};
    const { trained } = await searchJob(opened, {
      ...{ options: training, train: !widthsOnly, fromScratch, course, ...device },
      found: ({ file }, which) => {
        found[which] = file;
        return Promise.resolve();
      },
    }, reporter);
    // Which networks there are follows from the options, as their types do.
    return { ...trained && trainedOf(trained), widths: found } as SearchedOf<B, O>;
  }, { signal, from });
}
