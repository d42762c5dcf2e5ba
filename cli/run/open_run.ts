import { IMAGENET } from "../../data/dataset.ts";
import { openDataset } from "../../data/folder.ts";
import type { OpenPictures } from "../../data/pictures.ts";
import { preparations } from "../../train/augment/plan.ts";
import { type Job, jobOn, type RunInputs } from "../../train/job.ts";
import { type SearchJob, searchOn, type SearchOptions } from "../../train/search.ts";
import { normalized } from "../../train/pixel_normalization.ts";
import type { TrainOptions } from "../../train/types.ts";
import { chooseTiles } from "./tile_cache.ts";
import { loadGiven, loadTeacher } from "./weights_files.ts";

/**
 * Reads the images, the teacher and the weights that options name. Pictures need a way to be opened,
 * which has to last as long as the run.
 */
export async function readInputs(
  options: TrainOptions,
  openPictures?: OpenPictures,
): Promise<RunInputs> {
  const { dataset, dataDir, seed, trainSize, valSize, valSplit, mode } = options;
  const { imageSize, channels, cropPct } = options;
  const given = await loadGiven(options);
  const opened = await openDataset(dataset, {
    dataDir,
    seed,
    trainCount: trainSize,
    validationCount: valSize,
    validationSplit: valSplit,
    imageSize,
    channels,
    cropPct,
    openPictures,
    // Measuring pictures takes decoding some of them.
    normalization: options.normalization === "imagenet" ? IMAGENET : undefined,
    prepare: imageSize === undefined ? undefined : preparations({ ...options, imageSize }),
  });
  const { split, notes } = normalized(options, opened, given);
  const teacher = mode === "distill" && options.teacher
    ? await loadTeacher(options.teacher, split)
    : undefined;
  return { split, teacher, given, notes: [...opened.notes, ...notes], chooseTiles };
}

/** A run as options say, with all that it reads; see {@link readInputs}. */
export async function openJob(options: TrainOptions, openPictures?: OpenPictures): Promise<Job> {
  return jobOn(await readInputs(options, openPictures), options);
}

/** A search as options say, with all that it reads; see {@link readInputs}. */
export async function openSearch(
  options: TrainOptions,
  find: SearchOptions,
  openPictures?: OpenPictures,
): Promise<SearchJob> {
  return searchOn(await readInputs(options, openPictures), options, find);
}
