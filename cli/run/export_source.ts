import type { Dataset } from "../../data/dataset.ts";
import { DataError } from "../../data/error.ts";
import { foundInstead } from "../../data/found_instead.ts";
import type { OpenPictures, PictureSet } from "../../data/pictures.ts";
import type { Checkpoint } from "../../export/checkpoint.ts";
import type { TrainingState } from "../../train/resume/training_state.ts";
import type { Which } from "../../train/types.ts";
import { chosenNetwork } from "./chosen_network.ts";
import {
  checkOutput,
  type Format,
  makeFolderOf,
  outputFile,
  outputPlace,
} from "./export_output.ts";
import { networksIn } from "./networks_in.ts";
import { demandPictures, pageOf } from "./page_files.ts";
import { readFile } from "./read_file.ts";
import { checkImages } from "../../train/check_images.ts";
import { type ImagesOptions, openValidation } from "./run_data.ts";
import { checkNotMoved, imagesOf, savedNetwork } from "./run_images.ts";
import { openRunPictures } from "./run_pictures.ts";

/** What is exported, and where to. */
export interface SourceOptions {
  /** A run folder, a checkpoint of a run, or a safetensors file in a run folder. */
  readonly run: string;
  /** Default: `small`, or what the file holds. */
  readonly which?: Which;
  readonly format: Format;
  /** A file, or a folder for one. Default: beside the network. */
  readonly output?: string;
  /** Whether to write a page beside the ONNX file that says what pictures show. Default: no. */
  readonly page?: boolean;
  readonly overwrite: boolean;
  /** Where the images of the run lie now. Default: where they lay. */
  readonly dataDir?: string;
}

/** A network to export, the images that it was validated on, and a place that can be written. */
export interface ExportSource extends Disposable {
  readonly checkpoint: Checkpoint;
  readonly dataset: Dataset | PictureSet;
  /** Which images these are. */
  readonly images: ImagesOptions;
  /** Opens more pictures of the set. */
  readonly openPictures: OpenPictures;
  readonly output: string;
  /** The page beside it, where there is to be one. */
  readonly page?: string;
}

/** A network, and the state that it is of where the file is a checkpoint of a run. */
interface Loaded {
  readonly checkpoint: Checkpoint;
  readonly state?: TrainingState;
}

async function load(file: string, which?: Which): Promise<Loaded> {
  const bytes = await readFile(file).catch((cause) => {
    throw new DataError(
      `Cannot export: wanted the run folder or safetensors file of a trained network, found ` +
        `${foundInstead(file, cause)}; --which names the network`,
      { cause },
    );
  });
  const found = await networksIn(bytes, file);
  return {
    checkpoint: chosenNetwork(found, which, { action: "export", file }),
    state: found.state,
  };
}

/**
 * Opens all that an export needs, and checks first that its file can be written; `extension` is what
 * the name of a file has after that of the network. Dispose of it when no image is read any more.
 */
export async function openSource(
  options: SourceOptions,
  extension: string,
  note: (text: string) => void,
): Promise<ExportSource> {
  const { format, overwrite, dataDir } = options;
  const saved = savedNetwork(options.run, options.which ?? "small");
  const { file } = saved;
  const { checkpoint, state } = await load(file, options.which);
  const place = outputPlace(saved, { isCheckpoint: state !== undefined });
  const name = `${place.prefix}${checkpoint.which}.${extension}`;
  const output = outputFile(options.output ?? place.folder, name);
  const page = options.page ? pageOf(output) : undefined;
  if (page !== undefined) demandPictures(checkpoint, file);
  for (const path of [output, ...page === undefined ? [] : [page]]) {
    await checkOutput(path, { format, overwrite, keeps: place.keeps });
  }
  const found = await imagesOf(saved, state);
  if (dataDir === undefined) checkNotMoved(saved, found, state);
  const images = { ...found, dataDir: dataDir ?? found.dataDir };
  using stack = new DisposableStack();
  const { open: openPictures } = stack.use(await openRunPictures(images, note));
  const dataset = await openValidation(images, checkpoint, openPictures);
  checkImages(checkpoint, { dataset, file });
  await makeFolderOf(output);
  const pictures = stack.move();
  return {
    ...{ checkpoint, dataset, images, openPictures, output },
    ...page === undefined ? {} : { page },
    [Symbol.dispose]: () => pictures.dispose(),
  };
}
