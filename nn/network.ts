/** The index of the layer that made a value; {@link IMAGE} for the network's input. */
export type Value = number;

/** The input image, `[batch, height, width, channels]`. */
export const IMAGE: Value = -1;

/** What a batch norm adds to the variance, unless told. */
export const NORM_EPS = 1e-5;

/** A convolution without bias. */
export interface Conv2dLayer {
  /** Tells it from other layers. */
  readonly kind: "conv2d";
  /** Unique in the network; its weight is called `NAME.weight`. */
  readonly name: string;
  /** What it is applied to. */
  readonly inputs: readonly [Value];
  /** Input channels. */
  readonly in: number;
  /** Output channels: filters. */
  readonly out: number;
  /** Side of the kernel. */
  readonly kernel: number;
  /** Pixels from one window to the next. */
  readonly stride: number;
  /** Zeros around the image, on every side. */
  readonly padding: number;
  /** The stage it belongs to: 0 is the stem. */
  readonly stage?: number;
  /** Taps of the kernel that are not zero, row by row. Default: all. */
  readonly keptTaps?: readonly boolean[];
}

/** Batch norm over the channels of its input. */
export interface BatchNormLayer {
  /** Tells it from other layers. */
  readonly kind: "batchNorm";
  /** Unique in the network; `NAME.weight` is the scale, `NAME.bias` the shift. */
  readonly name: string;
  /** What it is applied to. */
  readonly inputs: readonly [Value];
  /** Start at scale 0 rather than 1: the last norm of a residual block. */
  readonly zero?: boolean;
}

/** A fully connected layer with bias. */
export interface LinearLayer {
  /** Tells it from other layers. */
  readonly kind: "linear";
  /** Unique in the network; it has `NAME.weight` and `NAME.bias`. */
  readonly name: string;
  /** What it is applied to. */
  readonly inputs: readonly [Value];
  /** Features of the input. */
  readonly in: number;
  /** Outputs; classes in the last layer. */
  readonly out: number;
}

/** A layer without parameters. */
export type PlainLayer =
  | { readonly kind: "relu"; readonly inputs: readonly [Value] }
  | { readonly kind: "add"; readonly inputs: readonly [Value, Value] }
  | { readonly kind: "narrow"; readonly inputs: readonly [Value]; readonly channels: number }
  | {
    readonly kind: "maxPool2d";
    readonly inputs: readonly [Value];
    readonly kernel: number;
    readonly stride: number;
    readonly padding: number;
  }
  | {
    readonly kind: "avgPool2d";
    readonly inputs: readonly [Value];
    readonly kernel: number;
    readonly stride: number;
    readonly ceilMode: boolean;
  }
  | { readonly kind: "globalAvgPool2d"; readonly inputs: readonly [Value] };

/** One layer of a network. */
export type Layer = Conv2dLayer | BatchNormLayer | LinearLayer | PlainLayer;

/** A network as data: layers in the order in which they run. The last one gives the logits. */
export interface Network {
  /** Channels of the input image. */
  readonly channels: number;
  /** A layer comes after those that it is applied to. */
  readonly layers: readonly Layer[];
}

/** Options of {@link NetworkBuilder.conv2d}. */
export interface Conv2dOptions {
  /** Unique in the network. */
  readonly name: string;
  /** Output channels: filters. */
  readonly out: number;
  /** Side of the kernel. */
  readonly kernel: number;
  /** Pixels from one window to the next. Default: 1. */
  readonly stride?: number;
  /** Default: `floor(kernel / 2)`. */
  readonly padding?: number;
}

/** The least that the numbers of a layer may be. */
const LEAST: Readonly<Record<string, number>> = {
  out: 1,
  channels: 1,
  kernel: 1,
  stride: 1,
  padding: 0,
  stage: 0,
};

/** Raises a `RangeError` for a value that is no whole number from `least` on. */
export function checkWhole(what: string, name: string, value: unknown, least = LEAST[name]): void {
  if (Number.isSafeInteger(value) && Number(value) >= least) return;
  throw new RangeError(
    `Cannot ${what}: ${name} is a whole number from ${least} on, found ${value}`,
  );
}

/** Adds layers one after the other; each method gives the value that its layer makes. */
export class NetworkBuilder {
  /** The input image. */
  readonly image: Value = IMAGE;
  readonly #layers: Layer[] = [];
  readonly #channels: number[] = [];
  readonly #names = new Set<string>();
  readonly #input: number;
  #stage: number | undefined;

  /** Builders come from {@link network}. */
  constructor(channels: number) {
    checkWhole("make a network", "channels", channels);
    this.#input = channels;
  }

  /** The layers added so far. */
  get layers(): readonly Layer[] {
    return this.#layers;
  }

  /** Channels of a value. Raises a `RangeError` for one that no layer has made. */
  channels(value: Value): number {
    const found = value === IMAGE ? this.#input : this.#channels[value];
    if (found !== undefined) return found;
    throw new RangeError(
      `Cannot find value ${value}: wanted one that a layer has made, below ${this.#layers.length}, ` +
        `or ${IMAGE} for the image`,
    );
  }

  /** The layers that follow belong to this stage; 0 is the stem. */
  stage(stage: number): void {
    checkWhole("begin a stage", "stage", stage);
    this.#stage = stage;
  }

  /** Raises a `RangeError` for numbers that make no layer. */
  #add(layer: Layer, channels: number): Value {
    const what = `add ${layer.kind}${"name" in layer ? ` ${layer.name}` : ""}`;
    for (const [key, value] of Object.entries(layer)) {
      if (key in LEAST) checkWhole(what, key, value);
    }
    if ("name" in layer) {
      if (this.#names.has(layer.name)) {
        throw new TypeError(`Cannot add ${layer.kind} ${layer.name}: the name is taken`);
      }
      this.#names.add(layer.name);
    }
    this.#layers.push(layer);
    this.#channels.push(channels);
    return this.#layers.length - 1;
  }

  /** A convolution without bias. */
  conv2d(
    x: Value,
    { name, out, kernel, stride = 1, padding = Math.floor(kernel / 2) }: Conv2dOptions,
  ): Value {
    return this.#add({
      kind: "conv2d",
      name,
      inputs: [x],
      in: this.channels(x),
      out,
      kernel,
      stride,
      padding,
      ...(this.#stage === undefined ? {} : { stage: this.#stage }),
    }, out);
  }

  /** Batch norm. */
  batchNorm(x: Value, { name, zero = false }: { name: string; zero?: boolean }): Value {
    return this.#add({ kind: "batchNorm", name, inputs: [x], zero }, this.channels(x));
  }

  /** `max(x, 0)`. */
  relu(x: Value): Value {
    return this.#add({ kind: "relu", inputs: [x] }, this.channels(x));
  }

  /** The sum of two values of equal shape. */
  add(a: Value, b: Value): Value {
    if (this.channels(a) !== this.channels(b)) {
      throw new TypeError(
        `Cannot add values of ${this.channels(a)} and ${this.channels(b)} channels: they must ` +
          `be equal; narrow() the wider one or project it`,
      );
    }
    return this.#add({ kind: "add", inputs: [a, b] }, this.channels(a));
  }

  /** The first `channels` channels. */
  narrow(x: Value, channels: number): Value {
    if (channels > this.channels(x)) {
      throw new RangeError(
        `Cannot add narrow: channels is at most the ${this.channels(x)} of its input, found ` +
          `${channels}`,
      );
    }
    return this.#add({ kind: "narrow", inputs: [x], channels }, channels);
  }

  /** The largest of each window; padding counts as minus infinity. */
  maxPool2d(x: Value, options: { kernel: number; stride: number; padding: number }): Value {
    return this.#add({ kind: "maxPool2d", inputs: [x], ...options }, this.channels(x));
  }

  /** The mean of each window. */
  avgPool2d(x: Value, options: { kernel: number; stride: number; ceilMode: boolean }): Value {
    return this.#add({ kind: "avgPool2d", inputs: [x], ...options }, this.channels(x));
  }

  /** The mean over each image: `[batch, channels]`. */
  globalAvgPool2d(x: Value): Value {
    return this.#add({ kind: "globalAvgPool2d", inputs: [x] }, this.channels(x));
  }

  /** A fully connected layer with bias. */
  linear(x: Value, { name, out }: { name: string; out: number }): Value {
    return this.#add({ kind: "linear", name, inputs: [x], in: this.channels(x), out }, out);
  }
}

/**
 * States a network: `build` adds its layers, the last of which gives the logits. Raises a
 * `RangeError` for channels, kernels, strides and the like that are no whole numbers, or too small.
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
  { channels }: { channels: number },
  build: (builder: NetworkBuilder) => void,
): Network {
  const builder = new NetworkBuilder(channels);
  build(builder);
  if (builder.layers.at(-1)?.kind !== "linear") {
    throw new TypeError(
      "Cannot make a network: the last layer gives the logits and has to be linear, found " +
        (builder.layers.at(-1)?.kind ?? "no layer"),
    );
  }
  return { channels, layers: builder.layers };
}

/** Channels of every value of a network, by layer. */
export function channelsOf({ channels, layers }: Network): number[] {
  const found: number[] = [];
  const of = (value: Value): number => value === IMAGE ? channels : found[value];
  for (const layer of layers) {
    if (layer.kind === "conv2d" || layer.kind === "linear") found.push(layer.out);
    else if (layer.kind === "narrow") found.push(layer.channels);
    else found.push(of(layer.inputs[0]));
  }
  return found;
}

/** Number of classes: outputs of the last layer. */
export function classesOf({ layers }: Network): number {
  const last = layers.at(-1);
  return last?.kind === "linear" ? last.out : 0;
}
