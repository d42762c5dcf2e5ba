import { printable } from "../../data/printable.ts";
import type { ReadAttribute, ReadNode, ReadTensor } from "./message.ts";

/** Kinds of attributes, by their numbers. */
const KIND = { FLOAT: 1, INT: 2, STRING: 3, TENSOR: 4, FLOATS: 6, INTS: 7 } as const;

/** A reason why a node, or a tensor, cannot be read, in words that go behind its name. */
export class NodeError extends Error {
  override name = "NodeError";
}

/** A node by its name, or by that of its value, and its operator: fit for a message. */
export function nodeTitle({ name, output, opType }: ReadNode): string {
  const called = name || output.find((made) => made !== "") || "without a name";
  return `node ${printable(called)} (${printable(opType)})`;
}

/**
 * A part of the graph that is read as one: a node, or several of which layers make one. Attributes
 * that nobody asks for are refused by {@link finish}.
 */
export class Step {
  /** The node whose value it makes. */
  readonly node: ReadNode;
  /** The operator, or the name of a pattern, which begins with a small letter. */
  readonly op: string;
  /** Names of the values and constants that it reads; empty for one that is left out. */
  readonly inputs: readonly string[];
  readonly #attributes: ReadonlyMap<string, ReadAttribute>;
  readonly #numbers: Readonly<Record<string, number>>;
  readonly #asked = new Set<string>();

  constructor(
    node: ReadNode,
    { op = node.opType, inputs = node.input, attributes = node.attribute, numbers = {} }: {
      readonly op?: string;
      readonly inputs?: readonly string[];
      readonly attributes?: readonly ReadAttribute[];
      /** What a pattern has found out. */
      readonly numbers?: Readonly<Record<string, number>>;
    } = {},
  ) {
    this.node = node;
    this.op = op;
    this.inputs = inputs;
    this.#attributes = new Map(attributes.map((attribute) => [attribute.name, attribute]));
    this.#numbers = numbers;
  }

  /** The name of the value that it makes. */
  get output(): string {
    return this.node.output[0] ?? "";
  }

  /** Raises an error that says why it is not read. */
  refuse(reason: string): never {
    throw new NodeError(reason);
  }

  #find(name: string, kind: number, what: string): ReadAttribute | undefined {
    this.#asked.add(name);
    const found = this.#attributes.get(name);
    // Files of the first versions leave the kind out.
    if (!found || found.type === kind || found.type === 0) return found;
    return this.refuse(`wanted ${what} as its attribute ${name}, found another kind`);
  }

  /** Whether there is an attribute. */
  has(name: string): boolean {
    return this.#attributes.has(name);
  }

  /** A whole number. */
  int(name: string, otherwise: number): number {
    return this.#numbers[name] ?? this.#find(name, KIND.INT, "a whole number")?.i ?? otherwise;
  }

  /** Whole numbers; `undefined` where there are none. */
  ints(name: string): readonly number[] | undefined {
    return this.#find(name, KIND.INTS, "whole numbers")?.ints;
  }

  /** A number. */
  float(name: string, otherwise: number): number {
    const found = this.#numbers[name] ?? this.#find(name, KIND.FLOAT, "a number")?.f ?? otherwise;
    // Shortest digits of the same float: 0.01, not 0.009999999776.
    return Number(found.toPrecision(7));
  }

  /** A word. */
  word(name: string, otherwise: string): string {
    const found = this.#find(name, KIND.STRING, "a word");
    return found ? new TextDecoder().decode(Uint8Array.from(found.s)) : otherwise;
  }

  /** A tensor. */
  tensor(name: string): ReadTensor | undefined {
    return this.#find(name, KIND.TENSOR, "a tensor")?.t ?? undefined;
  }

  /** Numbers of either kind, as `value_floats` of a constant has. */
  list(name: string): readonly number[] | undefined {
    this.#asked.add(name);
    const found = this.#attributes.get(name);
    if (!found) return undefined;
    if (found.type === KIND.FLOATS) return found.floats;
    if (found.type === KIND.INTS) return found.ints;
    if (found.type === KIND.FLOAT) return [found.f];
    if (found.type === KIND.INT) return [found.i];
    return this.refuse(`wanted numbers as its attribute ${name}, found another kind`);
  }

  /** Says that attributes change nothing here. */
  ignore(...names: readonly string[]): void {
    for (const name of names) this.#asked.add(name);
  }

  /** Raises an error for an attribute of its node that nobody has asked for. */
  finish(): void {
    const unread = [...this.#attributes.keys()].find((name) => !this.#asked.has(name));
    if (unread !== undefined) this.refuse(`has an attribute ${printable(unread)} that is not read`);
  }
}
