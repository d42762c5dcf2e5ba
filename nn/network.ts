import { printableJson } from "../data/printable.ts";
import { type NetworkBuilder, networkBuilder } from "./builder.ts";
import type { ValueShape } from "./layers/layer.ts";
import { kindOf, type Layer } from "./layers/mod.ts";
import { checkOptionNames } from "./options.ts";
import { foundText, type LayersBefore, LOGITS_KINDS, readLayer } from "./read_layer.ts";

export { IMAGE, type Value } from "./layers/layer.ts";
export type { Layer } from "./layers/mod.ts";
export type { NetworkBuilder } from "./builder.ts";

/** A network as data: layers in the order in which they run. The last one gives the logits. */
export interface Network {
  /** Channels of the input image. */
  readonly channels: number;
  /** A layer comes after those that it is applied to. */
  readonly layers: readonly Layer[];
}

/** Whether a layer may be the last one. */
function givesLogits(layer: Layer): boolean {
  return kindOf(layer).givesLogits?.(layer) === true;
}

/** Raises a `TypeError` for a network whose last layer gives no logits. */
export function checkLast(what: string, layers: readonly Layer[]): void {
  const last = layers.at(-1);
  if (last && givesLogits(last)) return;
  const keeps = last && kindOf(last).givesLogits ? " that keeps an image" : "";
  throw new TypeError(
    `Cannot ${what}: the last layer gives the logits and has to be ${LOGITS_KINDS}, found ` +
      (last ? last.kind + keeps : "no layer"),
  );
}

/**
 * States a network: `build` adds its layers, the last of which gives the logits. Raises a
 * `RangeError` for channels, kernels, strides and the like that are no whole numbers, or too small,
 * and a `TypeError` for layers that do not fit together.
 *
 * ```ts
 * import { network } from "@adjoin/adjoin";
 *
 * const tiny = network({ channels: 3 }, (n) => {
 *   let x = n.conv2d(n.image, { name: "conv1", out: 8, kernel: 3 });
 *   x = n.relu(n.batchNorm(x, { name: "bn1" }));
 *   n.linear(n.globalAvgPool2d(x), { name: "fc", out: 10 });
 * });
 * ```
 */
export function network(
  options: { channels: number },
  build: (builder: NetworkBuilder) => void,
): Network {
  checkOptionNames("make a network", options, ["channels"]);
  const { channels } = options;
  const builder = networkBuilder(channels);
  build(builder);
  checkLast("make a network", builder.layers);
  return { channels, layers: builder.layers };
}

/**
 * The shape of every value of a network, by layer. Raises a `TypeError` for a network made by hand
 * that has fields or layers which fit no kind.
 */
export function shapesOf({ channels, layers }: Network): ValueShape[] {
  const shapes: ValueShape[] = [];
  const names = new Set<string>();
  const before: LayersBefore = { channels, shapes, names };
  layers.forEach((layer, i) => {
    const { shape } = readLayer(layer, "network", before, ({ field, wanted, found, cure }) => {
      const text = field === undefined ? wanted : `${field}, ${wanted}`;
      throw new TypeError(
        `Cannot use the network: wanted layer ${i} (${layerTitle(layer)}) to have ${text}, found ` +
          `${foundText(found)}${cure ? `; ${cure}` : ""}`,
      );
    });
    if ("name" in layer) names.add(layer.name);
    shapes.push(shape);
  });
  return shapes;
}

/** The kind of a layer and its name, if it has one, fit for a message. */
export function layerTitle({ kind, name }: { kind?: unknown; name?: unknown }): string {
  return [kind, name].filter((word) => typeof word === "string" && word !== "")
    .map((word) => printableJson(word).slice(1, -1)).join(" ");
}

/** Channels of every value of a network, by layer. */
export function channelsOf(network: Network): number[] {
  return shapesOf(network).map(({ channels }) => channels);
}

/** Number of classes: outputs of the last layer. */
export function classesOf(network: Network): number {
  const last = network.layers.at(-1);
  return last && givesLogits(last) ? channelsOf(network)[network.layers.length - 1] : 0;
}
