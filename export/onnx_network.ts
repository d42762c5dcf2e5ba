import type { ImageSize } from "../nn/count.ts";
import type { Network } from "../nn/network.ts";
import type { TorchTensors } from "../nn/pretrained.ts";
import type { Metadata } from "./metadata.ts";

/** A network that is read from an ONNX file. */
export interface OnnxNetwork {
  /** Its layers. */
  readonly network: Network;
  /** Its weights and running statistics by their names, in PyTorch's layout. */
  readonly tensors: TorchTensors;
  /** The size of images that the file is for. */
  readonly image: ImageSize;
  /** What the file says of classes and pixels, as a file with weights of ours does. */
  readonly metadata: Metadata;
  /** What there is to say of it, a sentence each. */
  readonly notes: readonly string[];
}
