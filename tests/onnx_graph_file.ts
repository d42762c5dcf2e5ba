// ONNX files node by node, with what exporters write and the readers of this project do not.
import { Random } from "../data/random.ts";
import { READ } from "../export/onnx_read/message.ts";
import { encode } from "../export/protobuf.ts";

/** An attribute: whole numbers as they are, other numbers and tensors as objects. */
export type AttributeValue =
  | number
  | string
  | readonly number[]
  | { readonly float: number }
  | { readonly tensor: object };

function attribute(name: string, value: AttributeValue): object {
  if (typeof value === "number") return { name, type: 2, i: value };
  if (typeof value === "string") return { name, type: 3, s: new TextEncoder().encode(value) };
  if ("float" in value) return { name, type: 1, f: value.float };
  if ("tensor" in value) return { name, type: 4, t: value.tensor };
  return { name, type: 7, ints: value };
}

/** Bytes of numbers, little-endian. */
export function raw(data: Float32Array | BigInt64Array): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

function product(sizes: readonly number[]): number {
  return sizes.reduce((all, size) => all * size, 1);
}

/** A sizes of an input: a number, or a name for any. */
type Dim = number | string;

function port(name: string, sizes: readonly Dim[], elemType = 1): object {
  const dim = sizes.map((size) =>
    typeof size === "number" ? { dimValue: size } : { dimParam: size }
  );
  return { name, type: { tensorType: { elemType, shape: { dim } } } };
}

/** A graph that grows by nodes. */
export class GraphFile {
  /** Parts of the graph, which tests may change. */
  readonly nodes: object[] = [];
  readonly initializers: object[] = [];
  readonly #random: Random;
  #count = 0;

  /** `sizes` are those of the image. */
  constructor(
    readonly sizes: readonly Dim[] = ["batch", 3, 9, 8],
    readonly opset = 17,
    seed = 1,
  ) {
    this.#random = new Random(seed, "ONNX weights");
  }

  /** The input. */
  get image(): string {
    return "image";
  }

  /** An initializer of floats, drawn unless they are given; `positive` ones are from 0.5 to 1.5. */
  weights(
    name: string,
    dims: readonly number[],
    { data, positive = false }: { data?: Float32Array; positive?: boolean } = {},
  ): string {
    const scale = 1 / Math.sqrt(Math.max(1, product(dims.slice(1))));
    const floats = data ?? Float32Array.from({ length: product(dims) }, () => {
      return positive ? 0.5 + this.#random.uniform() : scale * this.#random.normal();
    });
    this.initializers.push({ name, dims, dataType: 1, rawData: raw(floats) });
    return name;
  }

  /** An initializer of whole numbers; a single one where `numbers` is no list. */
  wholes(numbers: readonly number[] | number): string {
    const name = `whole_${this.#count++}`;
    const list = typeof numbers === "number" ? [numbers] : numbers;
    const rawData = raw(BigInt64Array.from(list, BigInt));
    const dims = typeof numbers === "number" ? [] : [numbers.length];
    this.initializers.push({ name, dims, dataType: 7, rawData });
    return name;
  }

  /** The number of a `Constant`. */
  number(value: number): string {
    const tensor = { dims: [], dataType: 1, floatData: [value] };
    return this.node("Constant", [], { value: { tensor } });
  }

  /** A node; gives the name of its output, or of the first of several. */
  node(
    opType: string,
    input: readonly string[],
    attributes: Readonly<Record<string, AttributeValue>> = {},
    { name = `${opType}_${this.#count++}`, outputs = 1, domain = "" } = {},
  ): string {
    const output = Array.from({ length: outputs }, (_, i) => `${name}_out${i || ""}`);
    this.nodes.push({
      ...{ name, opType, input, output, domain },
      attribute: Object.entries(attributes).map(([key, value]) => attribute(key, value)),
    });
    return output[0];
  }

  /** A convolution with drawn weights. */
  conv(
    x: string,
    name: string,
    dims: readonly number[],
    attributes: Readonly<Record<string, AttributeValue>> = {},
    { bias = false }: { bias?: boolean } = {},
  ): string {
    const inputs = [x, this.weights(`${name}.weight`, dims)];
    if (bias) inputs.push(this.weights(`${name}.bias`, [dims[0]]));
    return this.node("Conv", inputs, attributes, { name: `${name}_node` });
  }

  /** A batch norm with drawn numbers. */
  norm(x: string, name: string, channels: number, eps = 1e-5): string {
    const numbers = ["weight", "bias", "running_mean", "running_var"].map((part, i) =>
      this.weights(`${name}.${part}`, [channels], { positive: i % 3 === 0 })
    );
    return this.node("BatchNormalization", [x, ...numbers], { epsilon: { float: eps } });
  }

  /** Means over the image and a fully connected layer. */
  classifier(x: string, channels: number, classes = 4): string {
    const rows = this.node("Flatten", [this.node("GlobalAveragePool", [x])]);
    return this.linear(rows, "fc", channels, classes);
  }

  /** A fully connected layer with drawn weights. */
  linear(x: string, name: string, into: number, out: number): string {
    const weights = [
      this.weights(`${name}.weight`, [out, into]),
      this.weights(`${name}.bias`, [out]),
    ];
    return this.node("Gemm", [x, ...weights], { transB: 1 });
  }

  /** The file, with this output. */
  bytes(
    output: string,
    { classes = 4, change = {}, domain = "", elements = 1 }: {
      classes?: number;
      /** Other fields of the model. */
      change?: object;
      domain?: string;
      elements?: number;
    } = {},
  ): Uint8Array<ArrayBuffer> {
    return encode(READ, "Model", {
      irVersion: 8,
      opsetImport: [{ domain, version: this.opset }],
      graph: {
        name: "made",
        node: this.nodes,
        initializer: this.initializers,
        input: [port("image", this.sizes, elements)],
        output: [port(output, ["batch", classes])],
      },
      ...change,
    });
  }
}
