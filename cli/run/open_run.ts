import { openDataset } from "../../data/folder.ts";
import { preparations } from "../../train/augment/plan.ts";
import { type Job, jobOn, type RunInputs } from "../../train/job.ts";
import { type SearchJob, searchOn, type SearchOptions } from "../../train/search.ts";
import { normalized } from "../../train/pixel_normalization.ts";
import type { TrainOptions } from "../../train/types.ts";
import { chooseTiles } from "./tile_cache.ts";
import { loadGiven, loadTeacher } from "./weights_files.ts";

/** Reads the images, the teacher and the weights that options name. */
export async function readInputs(options: TrainOptions): Promise<RunInputs> {
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
    prepare: imageSize === undefined ? undefined : preparations({ ...options, imageSize }),
  });
  const { split, notes } = normalized(options, opened, given);
  const teacher = mode === "distill" && options.teacher
    ? await loadTeacher(options.teacher, split)
    : undefined;
  return { split, teacher, given, notes: [...opened.notes, ...notes], chooseTiles };
}

/** A run as options say, with all that it reads. */
export async function openJob(options: TrainOptions): Promise<Job> {
  return jobOn(await readInputs(options), options);
}

/** A search as options say, with all that it reads. */
export async function openSearch(options: TrainOptions, find: SearchOptions): Promise<SearchJob> {
  return searchOn(await readInputs(options), options, find);
}
