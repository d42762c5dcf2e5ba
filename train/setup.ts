import { cropFlip, type CropWriter, identity, randomResizedCrop } from "../data/augment.ts";
import type { Dataset, Split } from "../data/dataset.ts";
import { DataError } from "../data/error.ts";
import { foundInstead } from "../data/found_instead.ts";
import { Random } from "../data/random.ts";
import { adjoin, type Adjoined } from "../nn/compress/adjoin.ts";
import { model } from "../nn/resnet.ts";
import { type Checkpoint, parseCheckpoint } from "../export/checkpoint.ts";
import { demandMaskedTaps } from "./effect.ts";
import { UsageError } from "./errors.ts";
import type { OptimizerOptions } from "./learner.ts";
import type { Objective } from "./objective.ts";
import type { TrainOptions } from "./types.ts";

/** How the options augment training images of a data set. */
export function augmentation(
  { augment }: TrainOptions,
  { height, width }: Dataset,
): (random: Random) => CropWriter {
  // A pad of an eighth: 4 pixels at 32, as is usual for CIFAR. The same on all sides, so that a crop
  // of a long image keeps most of its short side.
  const size = width;
  const padding = Math.round(Math.min(height, width) / 8);
  switch (augment) {
    case "none":
      return () => identity();
    case "crop":
      return (random) => cropFlip({ random, size, padding, flip: false });
    case "crop-flip":
      return (random) => cropFlip({ random, size, padding });
    case "resized-crop":
      return (random) =>
        randomResizedCrop({
          random,
          sourceHeight: height,
          sourceWidth: width,
          outputSize: width,
          outputHeight: height,
        });
  }
}

/** The optimiser that the options name. */
export function optimizer({ opt, weightDecay, nesterov }: TrainOptions): OptimizerOptions {
  return opt === "sgd"
    ? { name: "sgd", weightDecay, nesterov }
    : { name: "adamw", weightDecay, beta2: 0.99, eps: 1e-6 };
}

/** The pair of networks that the options describe. */
export function adjoinedOf(options: TrainOptions, split: Split): Adjoined {
  const { classes, channels } = split.train;
  const { compression, trunk, maskFrom, maskingFactor, widths, seed, stem, variant } = options;
  const base = model(options.model, { classes: classes.length, channels, stem, variant });
  const random = new Random(seed, "spatial masks");
  const adjoined = adjoin(base, {
    compression,
    trunk,
    maskFrom,
    maskingFactor,
    widths,
    random: () => random.uniform(),
  });
  demandMaskedTaps(options, adjoined);
  return adjoined;
}

/** Reads the teacher of a distillation. Raises a {@link DataError} when it cannot be read. */
export async function loadTeacher(path: string, split: Split): Promise<Checkpoint> {
  const file = path.endsWith(".safetensors") ? path : `${path}/base.safetensors`;
  const bytes = await Deno.readFile(file).catch((cause) => {
    throw new DataError(
      `Cannot load the teacher: wanted the run folder or safetensors file of a trained base, ` +
        `found ${foundInstead(file, cause)}`,
      { cause },
    );
  });
  const teacher = parseCheckpoint(bytes, file);
  const { classes, channels, name } = split.train;
  if (teacher.classes.join() !== classes.join() || teacher.image[2] !== channels) {
    throw new UsageError(
      `Cannot distill from ${file}: it tells ${teacher.classes.length} classes of images with ` +
        `${teacher.image[2]} channels apart, ${name} has ${classes.length} of its own with ` +
        `${channels}; train a teacher on the same data set`,
    );
  }
  return teacher;
}

/** What the options train. */
export function objectiveOf(
  options: TrainOptions,
  adjoined: Adjoined,
  teacher?: Checkpoint,
): Objective {
  switch (options.mode) {
    case "adjoined":
      return { mode: "adjoined", adjoined, detach: options.detach };
    case "plain":
      return { mode: "plain", which: options.which, network: adjoined[options.which] };
    case "distill":
      if (!teacher) throw new UsageError("Cannot distill without a teacher: pass --teacher");
      return { mode: "distill", which: "small", network: adjoined.small, teacher: teacher.network };
  }
}
