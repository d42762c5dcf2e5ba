import type { FileGraph } from "./graph.ts";
import type { ReadNode } from "./message.ts";
import { NodeError, nodeTitle, Step } from "./step.ts";
import { stepOf } from "./patterns.ts";

/** What is to be read of a graph. */
export interface Plan {
  /** In order, each after those whose values it reads. */
  readonly steps: readonly Step[];
  /** The name of the logits. */
  readonly logits: string;
  /** Names of values out of whose rows images become again. */
  readonly stayImages: ReadonlySet<string>;
  /** Nodes at the end that are left out: they make no logits. */
  readonly dropped: readonly ReadNode[];
}

/** Operators at the end that turn logits into something else. */
const AFTER_LOGITS: readonly string[] = ["Softmax", "LogSoftmax", "Identity"];

/** Whether a step makes an image out of rows. */
function makesImage({ op, inputs }: Step, graph: FileGraph): boolean {
  if (op === "Unsqueeze") return true;
  if (op !== "Reshape") return false;
  const sizes = graph.isConstant(inputs[1] ?? "") ? graph.stated(inputs[1])?.sizes : undefined;
  return sizes !== undefined && sizes.length > 2;
}

/** Whether an error is one of the builder of networks, about a layer that cannot be. */
function isOfBuilder(cause: unknown): cause is Error {
  return (cause instanceof RangeError || cause instanceof TypeError) &&
    cause.message.startsWith("Cannot add ");
}

/** Runs something for a node, whose errors get its name. */
export function atNode<T>(node: ReadNode, run: () => T): T {
  try {
    return run();
  } catch (cause) {
    const isTold = cause instanceof NodeError || isOfBuilder(cause);
    if (!isTold) throw cause;
    throw new NodeError(`${nodeTitle(node)}: ${cause.message}`, { cause });
  }
}

/**
 * Finds what the output depends on, from its end: nodes that nothing needs are left out, and several
 * nodes that are one layer become one step.
 */
export function planOf(graph: FileGraph): Plan {
  const dropped: ReadNode[] = [];
  let logits = graph.output.name;
  for (
    let node = graph.maker(logits);
    node && AFTER_LOGITS.includes(node.opType) && node.input.length === 1 &&
    graph.maker(node.input[0]);
    node = graph.maker(logits)
  ) {
    if (node.opType !== "Identity") dropped.push(node);
    logits = node.input[0];
  }
  const needed = new Set([logits]);
  const stayImages = new Set<string>();
  const steps: Step[] = [];
  for (const node of graph.nodes.toReversed()) {
    if (!node.output.some((name) => needed.has(name))) continue;
    atNode(node, () => {
      if (node.domain !== "" && node.domain !== "ai.onnx") {
        throw new NodeError(`wanted an operator of ONNX itself, found one of ${node.domain}`);
      }
      const step = stepOf(node, graph);
      steps.push(step);
      const stays = makesImage(step, graph) || stayImages.has(step.output);
      for (const name of step.inputs) {
        needed.add(name);
        if (stays) stayImages.add(name);
      }
    });
  }
  return { steps: steps.toReversed(), logits, stayImages, dropped };
}
