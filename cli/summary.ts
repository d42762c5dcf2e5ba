import { adjoin, type Adjoined } from "../nn/compress/adjoin.ts";
import { type Count, count, countLayers, type LayerCount } from "../nn/count.ts";
import { macsTogether } from "../nn/compress/macs_together.ts";
import { DEFAULT_VARIANTS, model, type Stem, stemOf, type Variant } from "../nn/families/mod.ts";
import type { Network } from "../nn/network.ts";
import type { ByNetwork } from "../nn/which.ts";
import { plural } from "../data/words.ts";
import { columns, grouped, scaled } from "./text.ts";

/** The networks to count, and the image that goes through them. */
export interface SummaryOptions {
  /** The base network, where `model` names a file. */
  readonly network?: Network;
  readonly model: string;
  /** Of several small networks, one for each. */
  readonly compression: number | readonly number[];
  readonly roundTo?: number;
  readonly imageSize: number;
  readonly classes: number;
  readonly maskFrom: number;
  readonly trunk: "shared" | "separate";
  readonly stem?: Stem;
  readonly variant?: Variant;
  readonly channels: number;
}

/** The cost of all networks, and all that it depends on. */
export interface ModelSummary extends Readonly<ByNetwork<Count>> {
  readonly model: string;
  /** Of ResNets. */
  readonly variant?: Variant;
  /** `authors` or `cifar`; `torchvision` for that variant's own. Of models with a choice. */
  readonly stem?: string;
  readonly compression: number | readonly number[];
  readonly maskFrom: number;
  readonly imageSize: number;
  readonly channels: number;
  readonly classes: number;
  readonly base: Count;
}

/** The base network with each small one. */
export function pairsOf(
  { network, model: name, compression, roundTo, maskFrom, trunk, ...options }: SummaryOptions,
): readonly Adjoined[] {
  const { classes, channels, stem, variant } = options;
  const base = network ?? model(name, { classes, channels, stem, variant });
  const small = [compression].flat().map((compression) => ({ compression }));
  return adjoin(base, { small, roundTo, maskFrom, trunk });
}

/** Parameters and multiply-accumulates of all networks. */
export function summarize(options: SummaryOptions): ModelSummary {
  const pairs = pairsOf(options);
  const [{ base }] = pairs;
  const { model, compression, maskFrom, imageSize, channels, classes } = options;
  const variant = options.variant ?? DEFAULT_VARIANTS[model];
  const image = { height: imageSize, width: imageSize };
  return {
    model,
    variant,
    stem: stemOf(model, options),
    compression,
    maskFrom,
    imageSize,
    channels,
    classes,
    base: count(base, image),
    ...Object.fromEntries(pairs.map(({ which, small }) => [which, count(small, image)])),
  };
}

/** The hint for readers who compare sizes with those of a run: its default stem is another. */
const STEM =
  "The stem is the model's own; on generated images, train and search take --stem authors.";

function times(whole: number, cut: number): string {
  return `${(whole / cut).toFixed(2)}x`;
}

/** A layer in the base network, and in each small one. */
interface Row {
  readonly whole: LayerCount;
  readonly cuts: readonly LayerCount[];
}

function layerCells({ whole, cuts }: Row): string[] {
  const cells = ({ shape, params, macs }: LayerCount) => [
    shape.join("x"),
    grouped(params),
    macs ? scaled(macs) : "",
  ];
  return [
    ...[whole.name, ...cells(whole)],
    ...cuts.flatMap((cut) => [...cells(cut), times(whole.params, cut.params)]),
  ];
}

function totalCells(
  name: string,
  [whole, ...cuts]: readonly Count[],
  of: (count: Count) => number,
): string[] {
  const cells = cuts.flatMap((cut) => ["", grouped(of(cut)), "", times(of(whole), of(cut))]);
  return [name, "", grouped(of(whole)), "", ...cells];
}

/** The table of all layers with parameters, all networks side by side, and totals. */
export function summaryTable(options: SummaryOptions): string {
  const pairs = pairsOf(options);
  const [{ base }] = pairs;
  const { model, variant, imageSize, compression, classes, channels, trunk } = options;
  const stem = stemOf(model, options);
  const image = { height: imageSize, width: imageSize };
  const small = pairs.map((pair) =>
    new Map(countLayers(pair.small, image).map((layer) => [layer.name, layer]))
  );
  const rows = countLayers(base, image).flatMap((whole): Row[] => {
    const cuts = small.flatMap((layers) => layers.get(whole.name) ?? []);
    return cuts.length === small.length ? [{ whole, cuts }] : [];
  });
  const counts = [base, ...pairs.map((pair) => pair.small)].map((one) => count(one, image));
  const [whole, ...cuts] = counts.map(({ macs }) => macs);
  const lines = columns([
    ["", "base", "", "", ...pairs.flatMap(({ which }) => [which, "", "", ""])],
    [
      ...["layer", "output", "parameters", "MACs"],
      ...pairs.flatMap(() => ["output", "parameters", "MACs", "ratio"]),
    ],
    ...rows.map(layerCells),
    totalCells("convolutions and norms", counts, (of) => of.backboneParams),
    totalCells("classifier", counts, (of) => of.classifierParams),
    totalCells("all parameters", counts, (of) => of.params),
    [
      ...["multiply-accumulates", "", "", scaled(whole)],
      ...cuts.flatMap((macs) => ["", "", scaled(macs), times(whole, macs)]),
    ],
  ]);
  const rule = "-".repeat(Math.max(...lines.map(({ length }) => length)));
  const together = (macsTogether(pairs, image) / whole).toFixed(2);
  return [
    `${variant === "torchvision" ? "torchvision's " : ""}${model}, ` +
    (stem === undefined ? "" : `stem ${stem}, `) +
    `compression ${[compression].flat().join(", ")}, ${classes} classes, ` +
    `${imageSize}x${imageSize} pixels, ${plural(channels, "channel")}`,
    "",
    ...lines.slice(0, 2),
    rule,
    ...lines.slice(2, -4),
    rule,
    ...lines.slice(-4),
    "",
    `Running ${pairs.length === 1 ? "both" : "all"} takes ${together} times the base network's ` +
    `multiply-accumulates (${trunk} trunk).`,
    ...stem === "cifar" && options.stem === undefined ? [STEM] : [],
  ].join("\n") + "\n";
}
