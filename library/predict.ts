import type { Pixels } from "../data/channels.ts";
import { Gpu } from "../kernels/gpu.ts";
import { Classifier, type FoundClass } from "../train/classifier.ts";
import { demandFields } from "./demand_given.ts";
import type { SavedNetwork } from "./run_settings.ts";
import { networkIn } from "./saved_network.ts";

/** How pictures are classified. */
export interface PredictSettings {
  /** The most probable classes of each, at most as many as there are. Default: 5. */
  readonly top?: number;
  /** Pictures that are run at a time. Default: 32, or as many as there are. */
  readonly batchSize?: number;
  /** A GPU that stays open. Default: one is opened, and freed at the end. */
  readonly gpu?: Gpu;
}

/** Pictures that are run at a time, unless told. */
const BATCH = 32;

/**
 * Says what a picture shows, as `deno task predict` does: the most probable classes, the most probable
 * first. Each call compiles the network; a {@link Classifier} does so once for many calls.
 *
 * @param network A network, or the bytes of a safetensors file that has it.
 * @param picture Bytes `[height, width, channels]` of any size, grey or RGB, with or without alpha: what
 * `decodeInBrowser` gives, or the data of a canvas with `channels: 4`.
 * @throws {TypeError} For pixels that do not fit their size, and a network for other images than
 * grey or RGB.
 * @throws {DataError} For bytes that are no network.
 */
export function predict(
  network: SavedNetwork,
  picture: Pixels,
  settings?: PredictSettings,
): Promise<FoundClass[]>;
/**
 * Says what each of several pictures shows.
 *
 * ```ts
 * import {
 *   type Checkpoint,
 *   initialize,
 *   model,
 *   networkSpecs,
 *   predict,
 *   Random,
 * } from "@adjoin/adjoin";
 *
 * const network = model("resnet8", { classes: 2 });
 * const random = new Random(0, "weights");
 * const untrained: Checkpoint = {
 *   network,
 *   state: initialize(networkSpecs(network), network, () => random.normal()),
 *   which: "base",
 *   classes: ["cat", "dog"],
 *   image: [32, 32, 3],
 *   normalization: { mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] },
 * };
 * const picture = { height: 90, width: 120, channels: 3, pixels: new Uint8Array(90 * 120 * 3) };
 * for (const [{ class: name, probability }] of await predict(untrained, [picture, picture])) {
 *   console.log(name, probability);
 * }
 * ```
 */
export function predict(
  network: SavedNetwork,
  pictures: readonly Pixels[],
  settings?: PredictSettings,
): Promise<FoundClass[][]>;
export async function predict(
  network: SavedNetwork,
  pictures: Pixels | readonly Pixels[],
  { top, batchSize, gpu: given }: PredictSettings = {},
): Promise<FoundClass[] | FoundClass[][]> {
  const checkpoint = networkIn(network, "the network");
  if (!Array.isArray(pictures)) {
    demandFields(pictures, ["pixels"], {
      doing: "Cannot predict",
      wanted: "pixels or a list of them",
    });
  }
  const count = "pixels" in pictures ? 1 : pictures.length;
  if (count === 0) return [];
  const gpu = given ?? await Gpu.open();
  try {
    const batch = batchSize ?? Math.min(BATCH, count);
    using classifier = await Classifier.open(gpu, checkpoint, { batch });
    return "pixels" in pictures
      ? await classifier.classify(pictures, { top })
      : await classifier.classify(pictures, { top });
  } finally {
    if (!given) gpu.destroy();
  }
}
