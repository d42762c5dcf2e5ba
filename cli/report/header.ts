import { entriesOf } from "../../nn/which.ts";
import { plural } from "../../data/words.ts";
import { columns, grouped, scaled } from "../text.ts";
import type { RunStart, TrainOptions } from "../../train/types.ts";

/** A line of a header: what it is about, and what there is to say. */
export type Fact = readonly [name: string, value: string];

/** Sizes of an image in words: "32x32 pixels, 3 channels", width first. */
function imageWords({ width, height, channels }: RunStart): string {
  return `${width}x${height} pixels, ${plural(channels, "channel")}`;
}

/** The word for the images that networks are validated on. */
export function validationWord(test: boolean): "test" | "validation" {
  return test ? "test" : "validation";
}

/** The model, its form and stem, and what is done with it. */
export function modelFact({ options: { model, variant }, stem, what }: RunStart): Fact {
  const form = variant === "torchvision" ? "torchvision's " : "";
  const stems = stem === undefined ? [] : [`stem ${stem}`];
  return ["model", [`${form}${model}`, ...stems, ...what ? [what] : []].join(", ")];
}

/** The images, and how many there are of each half. */
export function dataFact(info: RunStart): Fact {
  const { options: { dataset }, trainImages, validationImages, test, classes } = info;
  const images = `${grouped(trainImages)} training and ${grouped(validationImages)} ` +
    `${validationWord(test)} images`;
  return ["data", `${dataset}: ${images}, ${imageWords(info)}, ${classes} classes`];
}

/** Epochs, batch, optimiser, schedule and learning rate in words. */
export function recipeWords({ epochs, batchSize, opt, sched, lr }: TrainOptions): string {
  return `${plural(epochs, "epoch")}, batch ${batchSize}, ${opt}, ${sched}, lr ${lr}`;
}

/** The adapter, and how values are kept on it where not in float32. */
export function adapterFact({ adapter, precision }: RunStart): Fact {
  return ["adapter", [adapter, precision ?? []].flat().join(", ")];
}

/** The facts of a run: adapter, model, data, recipe, output folder, sizes of the networks. */
export function runFacts(info: RunStart): Fact[] {
  const { options: { mode, output, seed } } = info;
  const counted = entriesOf(info.costs).map(([which, cost]) => ({ which, ...cost }));
  const costs = columns(
    counted.map(({ params, macs }) => [`${grouped(params)} parameters`, `${scaled(macs)} MACs`]),
    [],
  );
  return [
    adapterFact(info),
    modelFact(info),
    dataFact(info),
    ["run", `${recipeWords(info.options)}, seed ${seed}`],
    ["output", output],
    ...counted.map(({ which }, i): Fact => [which, costs[i]]),
    ...mode === "adjoined" && counted.every(({ which }) => which === "base")
      ? [["small", "its widths are not chosen yet"] as const]
      : [],
  ];
}

/** The lines of facts, their names in a column of their own. */
export function headerLines(facts: readonly Fact[]): string[] {
  return columns([...facts, ["adapter", ""]], [0, 1]).slice(0, -1);
}
