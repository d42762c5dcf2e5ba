import type { Dataset } from "../../data/dataset.ts";
import type { OpenPictures, PictureSet } from "../../data/pictures.ts";
import { foundInstead } from "../../data/found_instead.ts";
import { LEAST_SIZE } from "../../data/generated.ts";
import { type OpenOptions, openTrainingSample, openValidationImages } from "../../data/folder.ts";
import type { CheckpointInfo } from "../../export/metadata.ts";
import type { TrainingState } from "../../train/resume/training_state.ts";
import {
  imagesIn,
  type ImagesOptions,
  parseImagesConfig,
  unknownImages,
  type ValidationOptions,
} from "./images_config.ts";
import { readText } from "./read_file.ts";

export type { ImagesOptions, ValidationOptions } from "./images_config.ts";

/** What a saved network says of the images that it takes. */
type ImagesInfo = Pick<CheckpointInfo, "classes" | "image" | "cropPct" | "interpolation">;

/** How images are opened for a network, to be measured on. */
function opening(
  options: ValidationOptions,
  { classes, image, cropPct, interpolation = "bilinear" }: ImagesInfo,
  openPictures?: OpenPictures,
): OpenOptions {
  const { dataset, dataDir, seed, valSize, valSplit } = options;
  const [size, , depth] = image;
  const channels = depth === 1 ? 1 : 3;
  const central = {
    kind: "central",
    size,
    channels,
    cropPct: cropPct ?? 1,
    interpolation,
  } as const;
  return {
    dataDir,
    seed,
    validationCount: valSize,
    validationSplit: valSplit,
    classNames: classes,
    // Images that there are not are those of the usual size, and then refused.
    imageSize: dataset === "generated" && size < LEAST_SIZE ? undefined : size,
    channels,
    cropPct,
    openPictures,
    prepare: { train: central, validation: central },
  };
}

/**
 * The validation images that options name, for a network with such classes. Pictures need a way to
 * be opened, which has to last as long as they are read.
 */
export function openValidation(
  options: ValidationOptions,
  info: ImagesInfo,
  openPictures?: OpenPictures,
): Promise<Dataset | PictureSet> {
  return openValidationImages(options.dataset, opening(options, info, openPictures));
}

/**
 * Training images of the set that options name, `count` of them or all that the run was trained on,
 * prepared as those that a network is measured on.
 */
export function openCalibration(
  options: ImagesOptions,
  { info, count, openPictures }: {
    readonly info: ImagesInfo;
    readonly count: number;
    readonly openPictures?: OpenPictures;
  },
): Promise<Dataset | PictureSet> {
  const asked = {
    ...opening(options, info, openPictures),
    trainCount: count,
    among: options.trainSize,
  };
  return openTrainingSample(options.dataset, asked);
}

/** What config.json in a run folder says of its images. Raises a {@link DataError} if it does not. */
export async function readValidationOptions(folder: string): Promise<ImagesOptions> {
  const file = `${folder}/config.json`;
  const text = await readText(file).catch((cause) => {
    throw unknownImages(file, foundInstead(file, cause), cause);
  });
  return parseImagesConfig(text, file);
}

/**
 * Which images the run of a checkpoint was validated on; the folder as config.json has it. Raises a
 * {@link DataError} that names `file` where its options do not say.
 */
export function imagesOfState(
  { run: { options, config } }: TrainingState,
  file: string,
): ImagesOptions {
  const dataDir = config?.dataDir ?? options.dataDir;
  return imagesIn({ ...options, dataDir }, file);
}
