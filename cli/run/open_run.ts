import type { Limited } from "../../export/widths_file.ts";
import { IMAGENET } from "../../data/dataset.ts";
import { openDataset } from "../../data/folder.ts";
import type { OpenPictures } from "../../data/pictures.ts";
import { preparations } from "../../train/augment/plan.ts";
import { isModelFile } from "../../export/model_file_name.ts";
import { givenNetwork, networkOfRun } from "../../train/model_file.ts";
import { rankedForSearch, withImportance } from "../../train/importance.ts";
import { type Job, jobOn, type RunInputs } from "../../train/job.ts";
import { findByLatency } from "../../train/latency_budget.ts";
import type { FindByLatency, SearchOptions } from "../../train/limited_cost.ts";
import { layersOfSearch, type SearchJob, searchOn } from "../../train/search.ts";
import { normalized } from "../../train/pixel_normalization.ts";
import { sameImages } from "../../train/resume/same_images.ts";
import type { Network } from "../../nn/network.ts";
import type { TrainingState } from "../../train/resume/training_state.ts";
import type { Reporter, TrainOptions } from "../../train/types.ts";
import { processorTime } from "../processor_time.ts";
import { layerTable } from "./latency_cache.ts";
import { chooseTiles } from "./tile_cache.ts";
import { loadGiven, loadNetwork, loadTeacher } from "./weights_files.ts";

/**
 * Reads the images, the teacher and the weights that options name. Pictures need a way to be opened,
 * which has to last as long as the run. A run that goes on does so `from` a state: its images have to
 * be those that it began with. `network` is its base network where that was read before.
 */
export async function readInputs(
  options: TrainOptions,
  openPictures?: OpenPictures,
  from?: TrainingState,
  network: Network | undefined = from && networkOfRun(from.run),
): Promise<RunInputs> {
  const { dataset, dataDir, seed, trainSize, valSize, valSplit, mode } = options;
  const { imageSize, channels, cropPct } = options;
  // A run that goes on has them in its state.
  const named = from ? undefined : await loadGiven(options);
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
  const { model } = options;
  const own = network || !isModelFile(model)
    ? undefined
    : givenNetwork(await loadNetwork(model, opened.train), opened.train, model);
  const given = named ?? own?.given;
  const { split, notes } = from
    ? { split: sameImages(opened, from), notes: [] }
    : normalized(options, opened, given);
  const teacher = mode === "distill" && options.teacher
    ? await loadTeacher(options.teacher, split)
    : undefined;
  return {
    split,
    teacher,
    network: network ?? own?.network,
    given,
    // Notes on weights that are used are told of with them.
    notes: [...opened.notes, ...named && own ? own.given.notes : [], ...notes],
    chooseTiles,
  };
}

/** A run as options say, with all that it reads; see {@link readInputs}. */
export async function openJob(
  options: TrainOptions,
  openPictures?: OpenPictures,
  from?: TrainingState,
  reporter?: Pick<Reporter, "work">,
): Promise<Job> {
  const inputs = await readInputs(options, openPictures, from);
  if (!from) return jobOn(inputs, await withImportance(inputs, options, { reporter }));
  // Which filters were kept followed from weights that need not be there any more.
  const { importance, widths } = from.run.options;
  return jobOn(inputs, { ...options, importance, widths });
}

/**
 * A search as options say, with all that it reads; see {@link readInputs}. One for a budget of latency
 * times the layers of its network first, where the times are not known.
 */
export async function openSearch(
  options: TrainOptions,
  find: SearchOptions<Limited>,
  { openPictures, from, reporter = { work() {} } }: {
    readonly openPictures?: OpenPictures;
    readonly from?: TrainingState;
    readonly reporter?: Pick<Reporter, "work">;
  } = {},
): Promise<SearchJob> {
  const read = await readInputs(options, openPictures, from);
  // As in openJob.
  const ordered = from
    ? { options: { ...options, importance: from.run.options.importance }, ranks: from.run.ranks }
    : await rankedForSearch(read, options, { reporter });
  const inputs = { ...read, ranks: ordered.ranks };
  if (find.budgeted !== "latency") return searchOn(inputs, ordered.options, find);
  const table = await layerTable(layersOfSearch(inputs, options, find), reporter);
  const byLatency: FindByLatency = (wanted, choose, reporter) =>
    findByLatency({ ...wanted, now: processorTime }, choose, reporter);
  return { ...searchOn(inputs, ordered.options, find, table), byLatency };
}
