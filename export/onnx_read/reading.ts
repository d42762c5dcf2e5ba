import { printable } from "../../data/printable.ts";
import { type NetworkBuilder, networkBuilder } from "../../nn/builder.ts";
import { shapeText, type TorchTensor } from "../../nn/layout.ts";
import { IMAGE, type Value } from "../../nn/network.ts";
import { type Constant, numbersOf, type Size } from "./constant.ts";
import type { FileGraph } from "./graph.ts";
import { LayerNames, layerOfTensor, moduleName } from "./layer_names.ts";
import { NodeError, type Step } from "./step.ts";
import {
  type Affine,
  type FileValue,
  type ImageValue,
  isPixel,
  type RowsValue,
  sizesText,
} from "./value.ts";

/** The most numbers that a value may have for one image. */
const MAX_ELEMENTS = 2 ** 31;

/** Floats of a constant. */
export interface Floats {
  /** Row-major. */
  readonly data: Float32Array;
  /** Sizes, outermost first. */
  readonly shape: readonly number[];
  /** The name that the file has for them, if any. */
  readonly name?: string;
}

function fail(reason: string): never {
  throw new NodeError(reason);
}

/** A network that is being made of a graph: its layers and their weights so far. */
export class Reading {
  readonly graph: FileGraph;
  /** Adds layers. */
  readonly n: NetworkBuilder;
  /** Weights by the names of the network's parameters, in PyTorch's layout. */
  readonly tensors = new Map<string, TorchTensor>();
  readonly #names = new LayerNames();
  readonly #values = new Map<string, FileValue>();
  /** Names of rows out of which images become again. */
  readonly #stayImages: ReadonlySet<string>;
  /** What is done to pixels before the first layer; `undefined` as long as no layer was. */
  #affine: Affine | "none" | undefined;

  /** Begins with the image. */
  constructor(graph: FileGraph, image: ImageValue, stayImages: ReadonlySet<string>) {
    this.graph = graph;
    this.n = networkBuilder(image.channels);
    this.#values.set(graph.input.name, image);
    this.#stayImages = stayImages;
  }

  /** What the file does to pixels first, if anything. */
  get affine(): Affine | undefined {
    return this.#affine === "none" ? undefined : this.#affine;
  }

  /** Keeps a value under its name in the file. */
  keep(step: Step, name: string, value: FileValue): void {
    if (value.kind === "image") {
      const { channels, height, width } = value;
      if (!(channels * height * width < MAX_ELEMENTS)) {
        step.refuse(`wanted less than 2^31 numbers for an image, found ${sizesText(value)}`);
      }
    }
    this.#values.set(name, value);
  }

  /** A value by its name. */
  named(step: Step, name: string): FileValue {
    const found = this.#values.get(name) ?? this.graph.stated(name);
    if (found) return found;
    return step.refuse(`reads ${printable(name)}, which is no output that is read of its node`);
  }

  /** Whether an input is there: the last ones may be left out. */
  has(step: Step, i: number): boolean {
    return step.inputs[i] !== undefined && step.inputs[i] !== "";
  }

  /** An input as it is. */
  any(step: Step, i: number): FileValue {
    if (this.has(step, i)) return this.named(step, step.inputs[i]);
    return step.refuse(`wanted an input ${i + 1}, found none`);
  }

  /** An input that depends on the image, with zeros around it that are still to be added. */
  padded(step: Step, i: number): ImageValue | RowsValue {
    const found = this.any(step, i);
    if (found.kind === "constant") {
      return step.refuse(
        `wanted a value that depends on the image as input ${i + 1}, found a constant`,
      );
    }
    if (found.kind === "image" && found.value === IMAGE) {
      const own = found.affine ?? "none";
      this.#affine ??= own;
      if (this.#affine !== own) {
        step.refuse("wanted the image as other nodes take it, found another scale of it");
      }
    }
    return found;
  }

  /** An input that depends on the image. */
  tensor(step: Step, i: number): ImageValue | RowsValue {
    const found = this.padded(step, i);
    if (found.kind === "rows" || !found.padding) return found;
    return step.refuse("wanted a Conv after a Pad, found this");
  }

  /** An image `[batch, channels, height, width]`, with zeros around it that are still to be added. */
  paddedImage(step: Step, i: number): ImageValue {
    return this.asImage(step, this.padded(step, i));
  }

  /** The value of a name that was kept. */
  result(name: string): FileValue {
    return this.#values.get(name) ?? this.graph.stated(name) ??
      fail(`wanted the value ${printable(name)}, found none`);
  }

  /** Logits as the last layer makes them, one row for each image. */
  logits(x: ImageValue | RowsValue): RowsValue {
    if (x.kind === "rows") return x;
    if (!isPixel(x) || x.padding) fail(`wanted logits of batch x classes, found ${sizesText(x)}`);
    const { channels, value, pooled = value } = x;
    return { kind: "rows", channels, value: this.n.globalAvgPool2d(pooled) };
  }

  /** An input that is an image `[batch, channels, height, width]`. */
  image(step: Step, i: number): ImageValue {
    return this.asImage(step, this.tensor(step, i));
  }

  /** A value, if it is an image `[batch, channels, height, width]`. */
  asImage(step: Step, x: ImageValue | RowsValue): ImageValue {
    if (x.kind === "image" && x.layout === "nchw") return x;
    return step.refuse(
      `wanted an image of batch x channels x height x width, found ${sizesText(x)}`,
    );
  }

  /** A single pixel, or rows, as rows. */
  rows(step: Step, x: ImageValue | RowsValue): RowsValue {
    if (x.kind === "rows" || isPixel(x)) return this.logits(x);
    return step.refuse(`wanted one row of features for each image, found ${sizesText(x)}`);
  }

  /** An input that is a constant. */
  constant(step: Step, i: number): Constant {
    const found = this.any(step, i);
    if (found.kind === "constant") return found;
    return step.refuse(
      `wanted a constant as input ${i + 1}, found a value that depends on the image`,
    );
  }

  /** A constant of floats. */
  floats(step: Step, i: number): Floats {
    const { floats, shape, name } = this.constant(step, i);
    if (floats) return { data: floats, shape, ...name === undefined ? {} : { name } };
    return step.refuse(`wanted floats as input ${i + 1}, found whole numbers`);
  }

  /** Floats, one for each channel. */
  channelwise(step: Step, i: number, channels: number): Float32Array {
    const { data, shape } = this.floats(step, i);
    if (shape.length === 1 && data.length === channels) return data;
    return step.refuse(`wanted ${channels} numbers as input ${i + 1}, found ${shapeText(shape)}`);
  }

  /** Whole numbers that are known; nothing where the input is left out. */
  wholes(step: Step, i: number): readonly number[] | undefined {
    return this.sizes(step, i)?.map((size) => {
      if (size !== "batch" && Number.isInteger(size)) return size;
      return step.refuse(`wanted whole numbers as input ${i + 1}, found ${size}`);
    });
  }

  /** Numbers of a constant, of which one may be the number of images. */
  sizes(step: Step, i: number): readonly Size[] | undefined {
    return this.has(step, i) ? numbersOf(this.constant(step, i)) : undefined;
  }

  /** The one number of an input; nothing where it is left out. */
  number(step: Step, i: number): number | undefined {
    const found = this.sizes(step, i);
    if (found === undefined || found.length === 0) return undefined;
    const [number] = found;
    if (found.length === 1 && number !== "batch") return number;
    return step.refuse(`wanted a number as input ${i + 1}, found ${found.length}`);
  }

  /** Whether an image becomes again of the rows that a step makes. */
  staysImage(step: Step): boolean {
    return this.#stayImages.has(step.output);
  }

  /** A name for a layer, after the tensor at input i if that has one, else after its node. */
  name(step: Step, i: number): string {
    const found = this.has(step, i) ? this.named(step, step.inputs[i]) : undefined;
    const tensor = found?.kind === "constant" ? found.name : undefined;
    const { name, opType } = step.node;
    return this.#names.take(layerOfTensor(tensor), moduleName(name, opType), opType.toLowerCase());
  }

  /** Keeps a parameter of a layer. */
  store(name: string, data: Float32Array, shape: readonly number[] = [data.length]): void {
    this.tensors.set(name, { data, shape });
  }
}

/** The same value made of another one by a layer. */
export function made<T extends ImageValue | RowsValue>(x: T, value: Value): T {
  if (x.kind === "rows") return { ...x, value };
  const { affine: _, pooled: __, ...rest } = x as ImageValue;
  return { ...rest, value } as T;
}
