import { range } from "../../kernels/wgsl/blocked.ts";
import { type ImageSize, sizesOf } from "../count.ts";
import { usesOf } from "../fusions.ts";
import { ruleOf } from "../layers/layer.ts";
import { kindOf, type Layer } from "../layers/mod.ts";
import { selectFrom } from "../layers/select.ts";
import { channelsOf, IMAGE, type Network, shapesOf, type Value } from "../network.ts";
import { nameOf } from "../state.ts";

/**
 * Layers of a network that a runtime does as one: a layer, the norm that is folded into it, and the
 * activation behind it.
 */
export interface LayerWork {
  /** Indices of the layers, each applied to the one before it. */
  readonly layers: readonly number[];
  /** Whether what it costs depends on the channels of its input as well as on those of its value. */
  readonly mixes: boolean;
}

/** A network of one {@link LayerWork}, on images of one size: what is timed. */
export interface TimedLayers {
  /** The layers; those that are equal have equal names, too. */
  readonly network: Network;
  /** The size of its input. */
  readonly image: ImageSize;
  /** How many of its first layers only prepare the input. */
  readonly before: number;
}

/** Text that is equal where the work is. */
export function layersKey({ network, image: { height, width } }: TimedLayers): string {
  return `${height}x${width}x${network.channels} ${JSON.stringify(network.layers)}`;
}

/** No layers, on the images of others. */
export function nothing({ network: { channels }, image }: TimedLayers): TimedLayers {
  return { network: { channels, layers: [] }, image, before: 0 };
}

/** Milliseconds of layers for one image, by {@link layersKey}. */
export type LayerTable = ReadonlyMap<string, number>;

/** Whether a layer is done by the layer before it, of which it is the only user. */
function joins(layer: Layer, before: Layer): boolean {
  const { scaling, absorbedAs = "sum" } = kindOf(layer);
  return layer.inputs.length === 1 &&
    (absorbedAs !== "sum" || scaling !== undefined && kindOf(before).scaled !== undefined);
}

/** What there is to do in a network, in order. */
export function layerWorks(network: Network): LayerWork[] {
  const { layers } = network;
  const uses = usesOf(network);
  const channels = channelsOf(network);
  const of = (value: Value): number => value === IMAGE ? network.channels : channels[value];
  const next = new Map(layers.map((layer, i) => [layer.inputs[0], i] as const));
  const done = new Set<number>();
  return layers.flatMap((layer, i): LayerWork[] => {
    if (done.has(i)) return [];
    const own = [i];
    for (let last = i;;) {
      const after = uses[last] === 1 ? next.get(last) : undefined;
      if (after === undefined || !joins(layers[after], layers[last])) break;
      own.push(last = after);
    }
    for (const k of own) done.add(k);
    return [{
      layers: own,
      mixes: ruleOf(kindOf(layer), layer, layer.inputs.map(of)) === "own",
    }];
  });
}

/** The value among the inputs of a layer that has the most pixels. */
function widest(
  layer: Layer,
  image: ImageSize,
  sizes: readonly ImageSize[],
): { readonly value: Value; readonly size: ImageSize } {
  const found = layer.inputs.map((value) => ({
    value,
    size: value === IMAGE ? image : sizes[value],
  }));
  const area = ({ size }: typeof found[number]): number => size.height * size.width;
  return found.reduce((a, b) => area(b) > area(a) ? b : a);
}

/** The layers of a network as they are timed. */
export class LayerTimes {
  readonly #network: Network;
  readonly #image: ImageSize;
  readonly #sizes: readonly ImageSize[];
  readonly #channels: readonly number[];
  readonly #flat: readonly boolean[];

  /** Those of a network on images of a size. */
  constructor(network: Network, image: ImageSize) {
    const shapes = shapesOf(network);
    this.#network = network;
    this.#image = image;
    this.#sizes = sizesOf(network, image);
    this.#channels = shapes.map(({ channels }) => channels);
    this.#flat = shapes.map(({ flat }) => flat);
  }

  /** The first layer, cut to so many channels, on a value that stands for all of its inputs. */
  #first(i: number, x: Value, { from, to }: Widths): { layer: Layer; channels: number } {
    const layer = this.#network.layers[i];
    const kind = kindOf(layer);
    const inputs = layer.inputs.map(() => x);
    const before = layer.inputs.map((v) =>
      v === IMAGE ? this.#network.channels : this.#channels[v]
    );
    const rule = ruleOf(kind, layer, before);
    const cut = (channels: number, more: object = {}): { layer: Layer; channels: number } => {
      const widths = inputs.map(() => channels);
      const narrowed = kind.narrowed?.(layer, { inputs, widths, ...more });
      // Kinds give layers of their own kind.
      return { layer: (narrowed ?? { ...layer, inputs }) as Layer, channels };
    };
    if (rule === "own") return cut(from, { mask: { ...keptTapsOf(layer), out: to } });
    if (rule === "passed") return cut(Math.max(1, Math.round(to / inputs.length)));
    if (rule === "tied") return cut(to);
    if ("sources" in rule) {
      return kind.narrowed && to % 2 === 0
        ? cut(to)
        : { layer: selectFrom(x, range(to)), channels: to };
    }
    const blocks = Math.max(1, Math.round(to * rule.blocks / this.#channels[i]));
    return cut(blocks * before[0] / rule.blocks, { blocks });
  }

  /** A work with so many channels of input and value. */
  timed({ layers: [first, ...others] }: LayerWork, widths: Widths): TimedLayers {
    const { value, size } = widest(this.#network.layers[first], this.#image, this.#sizes);
    const flat = value !== IMAGE && this.#flat[value];
    const pool: Layer[] = flat ? [{ kind: "globalAvgPool2d", inputs: [IMAGE] }] : [];
    const { layer, channels } = this.#first(first, pool.length - 1, widths);
    const all = [layer, ...others.map((i) => this.#network.layers[i])];
    const chain = all.map((layer, k): Layer => {
      const at = pool.length + k;
      return plain({ ...layer, ...k && { inputs: [at - 1] } } as Layer, `layer${k}`);
    });
    return {
      network: { channels, layers: [...pool, ...chain] },
      image: flat ? { height: 1, width: 1 } : size,
      before: pool.length,
    };
  }
}

/** Channels of the input and of the value of a work. */
export interface Widths {
  readonly from: number;
  readonly to: number;
}

function keptTapsOf(layer: Layer): object {
  return "keptTaps" in layer ? { keptTaps: layer.keptTaps } : {};
}

/** A layer of another name and of no stage, which do not change what it takes. */
function plain(layer: Layer, name: string): Layer {
  const named = nameOf(layer) ? { ...layer, name } : layer;
  return "stage" in named ? { ...named, stage: undefined } : named;
}
