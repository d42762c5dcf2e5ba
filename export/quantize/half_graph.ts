import { namesIn, type OnnxGraph, type OnnxNode, type OnnxTensor } from "../onnx_graph.ts";
import { ELEMENT } from "../onnx_schema.ts";

/** The fewest numbers of a constant that is worth a node: two bytes of each are saved. */
const FEWEST = 64;

/** The largest number of 16 bits. */
const LARGEST = 65504;

/** Whether a constant is brought to 16 bits: not one that would be infinite there. */
function isHalved({ data }: OnnxTensor): boolean {
  return data instanceof Float32Array && data.length >= FEWEST &&
    data.every((value) => Math.abs(value) <= LARGEST);
}

/**
 * A graph whose weights have 16 bits, and half the bytes. Each is cast to float32 when the file is
 * loaded, and all else is as it was: onnxruntime's WebAssembly has no arithmetic of 16 bits, and
 * casts the values before and after each node of a graph that has.
 */
export function halfGraph(graph: OnnxGraph): OnnxGraph {
  const free = namesIn(graph);
  const constants = new Map<string, OnnxTensor>();
  const casts: OnnxNode[] = [];
  for (const [name, tensor] of graph.constants) {
    if (!isHalved(tensor)) {
      constants.set(name, tensor);
      continue;
    }
    const half = free.take(`${name}.float16`);
    constants.set(half, { shape: tensor.shape, data: Float16Array.from(tensor.data, Number) });
    casts.push({ name, op: "Cast", inputs: [half], attributes: { to: ELEMENT.float32 } });
  }
  return { nodes: [...casts, ...graph.nodes], constants };
}
