import { type OnnxGraph, type OnnxNode, OUTPUT } from "../onnx_graph.ts";
import { cutsAtZero, type IntegerKind, integerKind } from "./operators.ts";

/** Which parts of a graph run on 8-bit integers. */
export interface IntegerPlan {
  /** The nodes that do, by name. */
  readonly integer: ReadonlyMap<string, IntegerKind>;
  /** Activations that are left out, by the name of the node before: its integers are cut at 0. */
  readonly absorbed: ReadonlyMap<string, OnnxNode>;
  /** By the name of a value that is in integers: the value whose range it has, most often itself. */
  readonly ranges: ReadonlyMap<string, string>;
  /** Of these, the values that are integers for all that read them, as integers made them. */
  readonly made: ReadonlySet<string>;
}

/** The nodes that read each value. */
function readersOf({ nodes }: OnnxGraph): Map<string, OnnxNode[]> {
  const readers = new Map<string, OnnxNode[]>();
  for (const node of nodes) {
    for (const input of new Set(node.inputs)) {
      readers.set(input, [...readers.get(input) ?? [], node]);
    }
  }
  return readers;
}

/**
 * Nodes between the last sums of products and the logits, which stay in floats: 256 different logits
 * are too few to tell classes apart.
 */
function tailOf({ nodes }: OnnxGraph): Set<string> {
  const values = new Set([OUTPUT]);
  const tail = new Set<string>();
  for (const node of nodes.toReversed()) {
    if (!values.has(node.name) || integerKind(node) === "weights") continue;
    tail.add(node.name);
    for (const input of node.inputs) values.add(input);
  }
  return tail;
}

/** Says which nodes of a graph run on integers, and which values are in integers for them. */
export function integerPlan(graph: OnnxGraph): IntegerPlan {
  const { nodes, constants } = graph;
  const readers = readersOf(graph);
  const tail = tailOf(graph);
  const integer = new Map<string, IntegerKind>();
  const absorbed = new Map<string, OnnxNode>();
  const ranges = new Map<string, string>();
  const made = new Set<string>();
  /** The activation after a node, if it is all that reads it and can be left out. */
  const activationOf = ({ name }: OnnxNode): OnnxNode | undefined => {
    const [next, ...others] = readers.get(name) ?? [];
    const fits = next && !others.length && cutsAtZero(next, constants) && !tail.has(next.name);
    return fits ? next : undefined;
  };
  for (const node of nodes) {
    const kind = integerKind(node);
    const values = node.inputs.filter((name) => !constants.has(name));
    const runs = kind === "weights"
      ? values.length === 1
      : values.length > 0 && values.every((name) => made.has(name)) && !tail.has(node.name) &&
        (kind === "moves" || values.length === node.inputs.length);
    if (!kind || !runs) continue;
    integer.set(node.name, kind);
    // What floats made becomes integers for it.
    for (const name of values) if (!ranges.has(name)) ranges.set(name, name);
    if (node.name === OUTPUT) continue;
    const next = kind === "moves" ? undefined : activationOf(node);
    if (next) absorbed.set(node.name, next);
    const value = next?.name ?? node.name;
    made.add(value);
    ranges.set(value, kind === "moves" ? ranges.get(values[0]) ?? value : value);
  }
  return { integer, absorbed, ranges, made };
}

/** The values whose ranges have to be known, by name; the image among them. */
export function rangedValues({ ranges }: IntegerPlan): string[] {
  return [...new Set(ranges.values())];
}
