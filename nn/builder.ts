import { printableJson } from "../data/printable.ts";
import { IMAGE, type LayerKind, type Value, type ValueShape } from "./layers/layer.ts";
import { KINDS, type Layer, type LayerMethods } from "./layers/mod.ts";
import { foundText, isFields, type LayerProblem, type RawFields, readLayer } from "./read_layer.ts";

/** Raises a `RangeError` for a value that is no whole number from `least` on. */
export function checkWhole(what: string, name: string, value: unknown, least: number): void {
  if (Number.isSafeInteger(value) && Number(value) >= least) return;
  throw new RangeError(
    `Cannot ${what}: ${name} is a whole number from ${least} on, found ${value}`,
  );
}

/**
 * A problem with a layer as an error: a `RangeError` for numbers and choices, else a `TypeError`.
 */
function problemError(what: string, { field, wanted, found, cure }: LayerProblem): Error {
  const text = field === undefined ? `wanted ${wanted}` : `${field} is ${wanted}`;
  const message = `Cannot ${what}: ${text}, found ${foundText(found)}${cure ? `; ${cure}` : ""}`;
  return field === undefined ? new TypeError(message) : new RangeError(message);
}

/** The layers of a network that is being built. */
class LayerStack {
  readonly #layers: Layer[] = [];
  readonly #shapes: ValueShape[] = [];
  readonly #names = new Set<string>();
  readonly #input: number;
  #stage: number | undefined;

  /** Begins without layers, on images of `channels` channels. */
  constructor(channels: number) {
    checkWhole("make a network", "channels", channels, 1);
    this.#input = channels;
  }

  /** The layers added so far. */
  get layers(): readonly Layer[] {
    return this.#layers;
  }

  /** Channels of a value. Raises a `RangeError` for one that no layer has made. */
  channels(value: Value): number {
    if (value === IMAGE) return this.#input;
    const found = this.#shapes[value];
    if (found !== undefined) return found.channels;
    throw new RangeError(
      `Cannot find value ${value}: wanted one that a layer has made, below ${this.#layers.length}, ` +
        `or ${IMAGE} for the image`,
    );
  }

  /** The layers that follow belong to this stage; 0 is the stem. */
  stage(stage: number): void {
    checkWhole("begin a stage", "stage", stage, 0);
    this.#stage = stage;
  }

  /**
   * Adds a layer of a kind, with what its method was called with. Raises a `RangeError` for fields
   * that are none of the kind's, and a `TypeError` for inputs that it is not for.
   */
  add(kind: LayerKind, args: readonly unknown[]): Value {
    const { inputs, options } = kind.call(...args);
    for (const value of inputs) this.channels(value);
    const given: RawFields = isFields(options) ? options : {};
    const name = typeof given.name === "string" ? ` ${printableJson(given.name).slice(1, -1)}` : "";
    const what = `add ${kind.kind}${name}`;
    const reserved = ["kind", "inputs"].find((key) => Object.hasOwn(given, key));
    if (reserved !== undefined) {
      const wanted = `only ${Object.keys(kind.fields).join(", ")}`;
      throw problemError(what, { wanted, found: reserved });
    }
    const stage = "stage" in kind.fields && this.#stage !== undefined ? { stage: this.#stage } : {};
    const { layer, shape } = readLayer(
      { ...stage, ...given, kind: kind.kind, inputs },
      "builder",
      { channels: this.#input, shapes: this.#shapes, names: this.#names },
      (problem) => {
        throw problemError(what, problem);
      },
    );
    if ("name" in layer) this.#names.add(layer.name);
    this.#layers.push(layer);
    this.#shapes.push(shape);
    return this.#layers.length - 1;
  }
}

/**
 * Adds layers one after the other. Methods raise a `RangeError` for channels, kernels, strides and
 * the like that are no whole numbers or too small, and a `TypeError` for inputs that a layer is not
 * for and for options that it does not have.
 */
export interface NetworkBuilder extends LayerMethods {
  /** The input image. */
  readonly image: Value;
  /** The layers added so far. */
  readonly layers: readonly Layer[];
  /** Channels of a value. Raises a `RangeError` for one that no layer has made. */
  channels(value: Value): number;
  /** The layers that follow belong to this stage; 0 is the stem. */
  stage(stage: number): void;
}

/** A builder without layers. */
export function networkBuilder(channels: number): NetworkBuilder {
  const stack = new LayerStack(channels);
  const methods: Partial<Record<Layer["kind"], (...args: unknown[]) => Value>> = Object.fromEntries(
    Object.entries<LayerKind>(KINDS).map(([name, kind]) =>
      [name, (...args: unknown[]): Value => stack.add(kind, args)] as const
    ),
  );
  return {
    // One for each kind.
    ...methods as LayerMethods,
    image: IMAGE,
    get layers(): readonly Layer[] {
      return stack.layers;
    },
    channels: (value: Value) => stack.channels(value),
    stage: (stage: number) => stack.stage(stage),
  };
}
