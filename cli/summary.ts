import { adjoin, type Adjoined } from "../nn/compress/adjoin.ts";
import { type Count, count, countLayers, type LayerCount } from "../nn/count.ts";
import { macsTogether } from "../nn/compress/macs_together.ts";
import { DEFAULT_VARIANTS, model, type Stem, stemOf, type Variant } from "../nn/families/mod.ts";
import type { Network } from "../nn/network.ts";
import { plural } from "../data/words.ts";
import { columns, grouped, scaled } from "./text.ts";

/** The networks to count, and the image that goes through them. */
export interface SummaryOptions {
  /** The base network, where `model` names a file. */
  readonly network?: Network;
  readonly model: string;
  readonly compression: number;
  readonly roundTo?: number;
  readonly imageSize: number;
  readonly classes: number;
  readonly maskFrom: number;
  readonly trunk: "shared" | "separate";
  readonly stem?: Stem;
  readonly variant?: Variant;
  readonly channels: number;
}

/** The cost of both networks, and all that it depends on. */
export interface ModelSummary {
  readonly model: string;
  /** Of ResNets. */
  readonly variant?: Variant;
  /** `authors` or `cifar`; `torchvision` for that variant's own. Of models with a choice. */
  readonly stem?: string;
  readonly compression: number;
  readonly maskFrom: number;
  readonly imageSize: number;
  readonly channels: number;
  readonly classes: number;
  readonly base: Count;
  readonly small: Count;
}

/** The base network and the small one. */
export function pairOf(
  { network, model: name, compression, roundTo, maskFrom, trunk, ...options }: SummaryOptions,
): Adjoined {
  const { classes, channels, stem, variant } = options;
  const base = network ?? model(name, { classes, channels, stem, variant });
  return adjoin(base, { compression, roundTo, maskFrom, trunk });
}

/** Parameters and multiply-accumulates of both networks. */
export function summarize(options: SummaryOptions): ModelSummary {
  const { base, small } = pairOf(options);
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
    small: count(small, image),
  };
}

/** The hint for readers who compare sizes with those of a run: its default stem is another. */
const STEM =
  "The stem is the model's own; on generated images, train and search take --stem authors.";

/** A layer in the base and in the small network. */
interface Row {
  readonly whole: LayerCount;
  readonly cut: LayerCount;
}

function times(whole: number, cut: number): string {
  return `${(whole / cut).toFixed(2)}x`;
}

function layerCells({ whole, cut }: Row): string[] {
  const cells = ({ shape, params, macs }: LayerCount) => [
    shape.join("x"),
    grouped(params),
    macs ? scaled(macs) : "",
  ];
  return [whole.name, ...cells(whole), ...cells(cut), times(whole.params, cut.params)];
}

function totalCells(name: string, whole: number, cut: number): string[] {
  return [name, "", grouped(whole), "", "", grouped(cut), "", times(whole, cut)];
}

/** The table of all layers with parameters, base and small network side by side, and totals. */
export function summaryTable(options: SummaryOptions): string {
  const pair = pairOf(options);
  const { model, variant, imageSize, compression, classes, channels, trunk } = options;
  const stem = stemOf(model, options);
  const image = { height: imageSize, width: imageSize };
  const small = new Map(countLayers(pair.small, image).map((layer) => [layer.name, layer]));
  const rows = countLayers(pair.base, image).flatMap((whole): Row[] => {
    const cut = small.get(whole.name);
    return cut ? [{ whole, cut }] : [];
  });
  const [b, s] = [count(pair.base, image), count(pair.small, image)];
  const lines = columns([
    ["", "base", "", "", "small", "", "", ""],
    ["layer", "output", "parameters", "MACs", "output", "parameters", "MACs", "ratio"],
    ...rows.map(layerCells),
    totalCells("convolutions and norms", b.backboneParams, s.backboneParams),
    totalCells("classifier", b.classifierParams, s.classifierParams),
    totalCells("all parameters", b.params, s.params),
    ["multiply-accumulates", "", "", scaled(b.macs), "", "", scaled(s.macs), times(b.macs, s.macs)],
  ]);
  const rule = "-".repeat(Math.max(...lines.map(({ length }) => length)));
  const together = (macsTogether(pair, image) / b.macs).toFixed(2);
  return [
    `${variant === "torchvision" ? "torchvision's " : ""}${model}, ` +
    (stem === undefined ? "" : `stem ${stem}, `) +
    `compression ${compression}, ${classes} classes, ${imageSize}x${imageSize} pixels, ` +
    plural(channels, "channel"),
    "",
    ...lines.slice(0, 2),
    rule,
    ...lines.slice(2, -4),
    rule,
    ...lines.slice(-4),
    "",
    `Running both takes ${together} times the base network's multiply-accumulates (${trunk} trunk).`,
    ...stem === "cifar" && options.stem === undefined ? [STEM] : [],
  ].join("\n") + "\n";
}
