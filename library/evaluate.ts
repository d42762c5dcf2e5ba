import type { Dataset } from "../data/dataset.ts";
import { DataError } from "../data/error.ts";
import { checkNumber } from "../data/number_check.ts";
import { validationBatches } from "../data/picture_batches.ts";
import type { PictureSet } from "../data/pictures.ts";
import { Gpu } from "../kernels/gpu.ts";
import { checkImages } from "../train/check_images.ts";
import { describe, type Described } from "../train/described.ts";
import { ImageWork } from "../train/image_work.ts";
import { KernelSession } from "../train/kernel_session.ts";
import { Predictions } from "../train/predictions.ts";
import type { Score, Work } from "../train/types.ts";
import { demandImages } from "./demand_given.ts";
import type { SavedNetwork } from "./run_settings.ts";
import { networkIn } from "./saved_network.ts";

/** How a network is measured. */
export interface EvaluateSettings {
  /** Images that are run at a time. Default: 64. */
  readonly batchSize?: number;
  /** A GPU that stays open. Default: one is opened, and freed at the end. */
  readonly gpu?: Gpu;
  /** Is told how far the work is, about once a second. */
  readonly work?: (work: Work) => void;
}

/** What a network does on images. */
export interface Evaluated extends Score, Described {
  /** How many images there are. */
  readonly images: number;
}

/**
 * Measures a saved network on images, as `deno task eval` does.
 *
 * ```ts
 * import { evaluate, generatedSplit, train } from "@adjoin/adjoin";
 *
 * const data = generatedSplit({ train: 32, validation: 16, size: 16, seed: 0 });
 * const { files } = await train({ data, epochs: 1, batchSize: 16 });
 * const small = files.get("small.safetensors") ?? new Uint8Array();
 * const { top1, classes } = await evaluate(small, data.validation);
 * console.log(top1, classes[0].class, classes[0].recall);
 * ```
 *
 * @param network A network, or the bytes of a safetensors file that has it.
 * @param dataset Images of its size and classes.
 * @throws {UsageError} For images of another size or other classes.
 * @throws {DataError} For bytes that are no network, and weights whose logits are no numbers.
 */
export async function evaluate(
  network: SavedNetwork,
  dataset: Dataset | PictureSet,
  { batchSize: batch = 64, gpu: given, work: told = () => {} }: EvaluateSettings = {},
): Promise<Evaluated> {
  checkNumber("evaluate", "batchSize", batch, { from: 1, whole: true });
  const checkpoint = networkIn(network, "the network");
  demandImages("Cannot evaluate", dataset);
  checkImages(checkpoint, { dataset, file: "the network" });
  const gpu = given ?? await Gpu.open();
  try {
    using scope = gpu.scope();
    const session = await KernelSession.open(scope, { checkpoint, dataset, batch });
    const predictions = new Predictions(dataset.classes.length);
    const work = new ImageWork({
      work: { what: "evaluation", total: dataset.length },
      reporter: { work: told },
    });
    const score = await session.score(validationBatches({ dataset, batch }), work, predictions);
    if (!Number.isFinite(score.loss)) {
      throw new DataError(
        `Cannot evaluate the network: wanted logits that are numbers, found a loss of ` +
          `${score.loss}; take other weights`,
      );
    }
    return { ...score, images: predictions.images, ...describe(predictions, dataset) };
  } finally {
    if (!given) gpu.destroy();
  }
}
