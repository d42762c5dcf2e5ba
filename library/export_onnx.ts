import { encodeGraph, graphOf } from "../export/onnx.ts";
import { halfGraph } from "../export/quantize/half_graph.ts";
import type { SavedNetwork } from "./run_settings.ts";
import { networkIn } from "./saved_network.ts";

/** How a network is written as ONNX. */
export interface ExportOnnxSettings {
  /** Whether the graph takes pixels from 0 to 255 and normalises them itself. Default: no. */
  readonly includeNormalization?: boolean;
  /** Bits of the weights: 32, or half as many, which are computed with in 32. Default: float32. */
  readonly precision?: "float32" | "fp16";
}

/**
 * The bytes of an ONNX file with a network, of operator set 17: `image` `[batch, channels, height,
 * width]` to `logits` `[batch, classes]`, float32, batch norms folded into the convolutions before them.
 * Classes and the normalisation of pixels are in its metadata. `deno task export` writes the same bytes
 * once onnxruntime has given the network's logits for them.
 *
 * ```ts
 * import { exportOnnx, generatedSplit, train } from "@adjoin/adjoin";
 *
 * const data = generatedSplit({ train: 32, validation: 16, size: 16, seed: 0 });
 * const { networks } = await train({ data, epochs: 1, batchSize: 16 });
 * const bytes = exportOnnx(networks.small, { includeNormalization: true });
 * console.log(bytes.length);
 * ```
 *
 * @param network A network, or the bytes of a safetensors file that has it.
 * @throws {DataError} For bytes that are no network.
 */
export function exportOnnx(
  network: SavedNetwork,
  { includeNormalization = false, precision = "float32" }: ExportOnnxSettings = {},
): Uint8Array<ArrayBuffer> {
  const checkpoint = networkIn(network, "the network");
  const { network: _, state: __, ...info } = checkpoint;
  const graph = graphOf(checkpoint, { includeNormalization });
  const half = precision === "fp16";
  return encodeGraph({
    graph: half ? halfGraph(graph) : graph,
    ...{ info, includeNormalization },
    ...half && {
      metadata: { precision, quantization: "weights of 16 bits, arithmetic of float32" },
    },
  }).bytes;
}
