/**
 * Images without a network: sets in memory, CIFAR's and IDX files, batches and crops by seeded random
 * numbers, safetensors. It needs no GPU.
 *
 * ```ts
 * import { generatedSplit, TrainingBatches } from "@adjoin/adjoin/data";
 *
 * const { train } = generatedSplit({ train: 64, validation: 1, size: 16, seed: 0 });
 * const batches = new TrainingBatches({ dataset: train, batch: 8, seed: 0 });
 * for (const { pixels, labels } of batches.epoch(0)) console.log(pixels.length, labels);
 * ```
 *
 * @module
 */
export type { DatasetName } from "../data/recipes.ts";
export {
  centralCrop,
  type CentralCropOptions,
  cropFlip,
  type CropFlipOptions,
  type CropWriter,
  type FlipOptions,
  identity,
  randomResizedCrop,
  type RandomResizedCropOptions,
} from "../data/augment.ts";
export type { Batch, Batches, EpochBatches, WholeBatches } from "../data/batch.ts";
export {
  TrainingBatches,
  type TrainingOptions,
  ValidationBatches,
  type ValidationOptions,
} from "../data/batches.ts";
export { CIFAR100_CLASSES, CIFAR10_CLASSES, parseCifar10, parseCifar100 } from "../data/cifar.ts";
export {
  type AnySplit,
  checkDataset,
  concatenate,
  type CountedDataset,
  type Dataset,
  type DatasetPart,
  IMAGENET,
  type ImageSet,
  measureNormalization,
  type Normalization,
  type Split,
  take,
} from "../data/dataset.ts";
export { epochOrder, type OrderOptions, type Sampler, SAMPLERS } from "../data/order.ts";
export type { Curable, Cure, OptionName } from "../data/cure.ts";
export type { Draw, Streams } from "../data/draws.ts";
export { DataError } from "../data/error.ts";
export {
  type GeneratedOptions,
  generatedSplit,
  type GeneratedSplitOptions,
  generateImages,
} from "../data/generated.ts";
export { gunzip } from "../data/gzip.ts";
export {
  type IdxArray,
  idxDataset,
  type IdxDatasetOptions,
  largestLabel,
  parseIdx,
} from "../data/idx.ts";
export { type Pixels, withChannels } from "../data/channels.ts";
export type { Picture, PictureSize } from "../data/picture.ts";
export type { PictureSet, PictureSource } from "../data/pictures.ts";
export {
  firstBatch,
  PictureTrainingBatches,
  PictureValidationBatches,
  trainingBatches,
  validationBatches,
} from "../data/picture_batches.ts";
export { type Preparation, prepare } from "../data/preparation.ts";
export { type Interpolation, INTERPOLATIONS, resample, type Resampling } from "../data/resample.ts";
export { takeStratified } from "../data/stratified.ts";
export { Random } from "../data/random.ts";
export {
  type Dtype,
  encodeSafetensors,
  parseSafetensors,
  type Safetensors,
  type StoredTensor,
  type TensorData,
  type TensorToStore,
} from "../data/safetensors.ts";
