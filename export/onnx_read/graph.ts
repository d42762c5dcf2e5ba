import { messageOf } from "../../data/message_of.ts";
import { DataError } from "../../data/error.ts";
import { printable } from "../../data/printable.ts";
import { type Constant, elementName, isFloat32, readTensor } from "./constant.ts";
import { type ReadModel, readModel, type ReadNode, type ReadTensor } from "./message.ts";
import { NodeError, nodeTitle, Step } from "./step.ts";

/** The operator sets that are read. */
export const OPSETS = { least: 11, most: 21 } as const;

/** Names of the operator set of ONNX itself. */
const OWN_DOMAIN: readonly string[] = ["", "ai.onnx"];

type Graph = NonNullable<ReadModel["graph"]>;

function checkOpset({ opsetImport }: ReadModel): number {
  const own = opsetImport.filter(({ domain }) => OWN_DOMAIN.includes(domain));
  const { least, most } = OPSETS;
  const [{ version } = { version: undefined }] = own;
  if (version !== undefined && version >= least && version <= most) return version;
  throw new NodeError(
    `wanted an operator set from ${least} to ${most}, found ${version ?? "none"}; export it with ` +
      "opset_version=17",
  );
}

/** What the input or the output of a graph is. */
interface Port {
  readonly name: string;
  /** Its sizes; `undefined` for one that can be any. */
  readonly sizes: readonly (number | undefined)[];
}

function onlyPort(ports: Graph["input"], what: string): Port {
  const names = ports.map(({ name }) => printable(name)).slice(0, 4).join(", ");
  if (ports.length !== 1) {
    throw new NodeError(`wanted one ${what}, found ${ports.length ? names : "none"}`);
  }
  const [{ name, type }] = ports;
  const tensor = type?.tensorType;
  if (tensor && !isFloat32(tensor.elemType)) {
    throw new NodeError(
      `wanted an ${what} of float32, found ${elementName(tensor.elemType)} in ${printable(name)}`,
    );
  }
  const sizes = (tensor?.shape?.dim ?? []).map(({ dimValue }) => dimValue);
  return { name, sizes: sizes.map((size) => size > 0 ? size : undefined) };
}

/** The graph of an ONNX file: nodes, each after those that it reads, and constants. */
export class FileGraph {
  /** The version of the operator set. */
  readonly opset: number;
  /** In the order of the file. */
  readonly nodes: readonly ReadNode[];
  readonly input: Port;
  readonly output: Port;
  readonly #makers = new Map<string, ReadNode>();
  readonly #initializers = new Map<string, ReadTensor>();
  readonly #uses = new Map<string, number>();
  /** Names of values that do not depend on the image. */
  readonly #known = new Set<string>();
  readonly #read = new Map<string, Constant | undefined>();

  private constructor(model: ReadModel) {
    const { graph } = model;
    if (!graph) throw new NodeError("wanted an ONNX model, found one without a graph");
    this.opset = checkOpset(model);
    this.nodes = graph.node;
    this.#takeInitializers(graph);
    // Files of the first versions list initializers as inputs, too.
    const inputs = graph.input.filter(({ name }) => !this.#initializers.has(name));
    this.input = onlyPort(inputs, "input");
    this.output = onlyPort(graph.output, "output");
    for (const node of this.nodes) this.#add(node);
    if (!this.#makers.has(this.output.name)) {
      throw new NodeError(
        `wanted a node that makes the output ${printable(this.output.name)}, found none`,
      );
    }
    this.#uses.set(this.output.name, this.uses(this.output.name) + 1);
  }

  /**
   * The graph in the bytes of a file. Raises a {@link DataError} that names `file` for bytes that are
   * no model, other operator sets, several inputs or outputs, and names that are missing, or twice.
   */
  static parse(bytes: Uint8Array, file: string): FileGraph {
    let model: ReadModel;
    try {
      model = readModel(bytes);
    } catch (cause) {
      const reason = printable(messageOf(cause));
      throw new DataError(`Cannot read ${file}: wanted an ONNX model, found ${reason}`, { cause });
    }
    try {
      return new FileGraph(model);
    } catch (cause) {
      if (!(cause instanceof NodeError)) throw cause;
      throw new DataError(`Cannot read ${file}: ${cause.message}`, { cause });
    }
  }

  #takeInitializers({ initializer }: Graph): void {
    for (const tensor of initializer) {
      if (this.#known.has(tensor.name)) {
        throw new NodeError(`has two initializers named ${printable(tensor.name)}`);
      }
      this.#initializers.set(tensor.name, tensor);
      this.#known.add(tensor.name);
    }
  }

  #add(node: ReadNode): void {
    for (const name of node.input) {
      const there = name === "" || name === this.input.name || this.#known.has(name) ||
        this.#makers.has(name);
      if (!there) {
        throw new NodeError(
          `${nodeTitle(node)} reads ${printable(name)}, which nothing before it makes`,
        );
      }
      this.#uses.set(name, this.uses(name) + 1);
    }
    for (const name of node.output) {
      if (name === "") continue;
      if (this.#makers.has(name) || this.#known.has(name) || name === this.input.name) {
        throw new NodeError(
          `${nodeTitle(node)} makes ${printable(name)}, a name that is taken before it`,
        );
      }
      this.#makers.set(name, node);
      if (node.input.every((read) => read === "" || this.#known.has(read))) this.#known.add(name);
    }
  }

  /** How often a value is read, by nodes or as the output. */
  uses(name: string): number {
    return this.#uses.get(name) ?? 0;
  }

  /** The node that makes a value; nothing for the input and for initializers. */
  maker(name: string): ReadNode | undefined {
    return this.#makers.get(name);
  }

  /** Whether a value does not depend on the image. */
  isConstant(name: string): boolean {
    return this.#known.has(name);
  }

  /**
   * A constant that the file states: an initializer, or the value of a `Constant`; nothing for all
   * else. Raises a {@link NodeError} for one that is wrong.
   */
  stated(name: string): Constant | undefined {
    if (!this.#read.has(name)) this.#read.set(name, this.#state(name));
    return this.#read.get(name);
  }

  #state(name: string): Constant | undefined {
    const initializer = this.#initializers.get(name);
    const refuse = (reason: string): never => {
      throw new NodeError(`initializer ${printable(name)}: ${reason}`);
    };
    if (initializer) return readTensor(initializer, refuse);
    const node = this.maker(name);
    if (!node || node.opType !== "Constant") return undefined;
    const step = new Step(node);
    const value = step.tensor("value");
    if (value) {
      const { name: _, ...constant } = readTensor(value, (reason) => {
        throw new NodeError(`${nodeTitle(node)}: ${reason}`);
      });
      return constant;
    }
    for (const [key, isFloat, isList] of CONSTANTS) {
      const numbers = step.has(key) ? step.list(key) : undefined;
      if (!numbers) continue;
      const shape = isList ? [numbers.length] : [];
      return {
        kind: "constant",
        shape,
        ...isFloat ? { floats: Float32Array.from(numbers) } : { sizes: numbers },
      };
    }
    throw new NodeError(`${nodeTitle(node)} has no value of numbers`);
  }

  /** The only number of a stated constant, where it has one. */
  scalar(name: string): number | undefined {
    const found = this.stated(name);
    const numbers = found?.floats ?? found?.sizes;
    if (numbers?.length !== 1) return undefined;
    const [number] = numbers;
    return typeof number === "number" ? number : undefined;
  }
}

/** Attributes of a `Constant` besides `value`: whether they are floats, and lists. */
const CONSTANTS = [
  ["value_float", true, false],
  ["value_floats", true, true],
  ["value_int", false, false],
  ["value_ints", false, true],
] as const;
