/**
 * ONNX without onnxruntime: networks become files, and files of others become networks. It needs no
 * GPU.
 *
 * ```ts
 * import { exportOnnx, readOnnx } from "@adjoin/adjoin/onnx";
 * import { initialize, model, networkSpecs } from "@adjoin/adjoin/nn";
 * import { Random } from "@adjoin/adjoin/data";
 *
 * const network = model("resnet8", { classes: 2 });
 * const random = new Random(0, "weights");
 * const bytes = exportOnnx({
 *   network,
 *   state: initialize(networkSpecs(network), network, () => random.normal()),
 *   which: "base",
 *   classes: ["cat", "dog"],
 *   image: [32, 32, 3],
 *   normalization: { mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] },
 * });
 * console.log(readOnnx(bytes, "small.onnx").network.layers.length);
 * ```
 *
 * @module
 */
export { exportOnnx, type ExportOnnxSettings } from "../library/export_onnx.ts";
export type { SavedNetwork } from "../library/run_settings.ts";
export type { Checkpoint } from "../export/checkpoint.ts";
export type { CheckpointInfo, Metadata } from "../export/metadata.ts";
export type { OnnxNetwork } from "../export/onnx_network.ts";
export { readOnnx } from "../export/onnx_read/read_onnx.ts";
export { type InputRange, type OnnxInfo, parseOnnxInfo } from "../export/onnx.ts";
