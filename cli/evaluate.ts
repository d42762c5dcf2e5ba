import { networkWords } from "../nn/which.ts";
import { readFile } from "./run/read_file.ts";
import type { Batches } from "../data/batch.ts";
import type { Dataset } from "../data/dataset.ts";
import { DataError } from "../data/error.ts";
import { foundInstead } from "../data/found_instead.ts";
import { firstBatch, validationBatches } from "../data/picture_batches.ts";
import type { OpenPictures, PictureSet } from "../data/pictures.ts";
import { printable } from "../data/printable.ts";
import { Gpu } from "../kernels/gpu.ts";
import { type Checkpoint, parseCheckpoint } from "../export/checkpoint.ts";
import type { CheckpointInfo } from "../export/metadata.ts";
import { ImageWork } from "../train/image_work.ts";
import { KernelSession } from "../train/kernel_session.ts";
import { LogitsScore } from "../train/logits_score.ts";
import { OnnxSession, RUNTIME } from "../export/onnx_session.ts";
import { isOnnx } from "./run/network_format.ts";
import { checkImages } from "../train/check_images.ts";
import { openValidation, type ValidationOptions } from "./run/run_data.ts";
import { openRunPictures, type PictureOptions } from "./run/run_pictures.ts";
import { validationWord } from "./report/header.ts";
import { percent } from "../data/words.ts";
import { columns, grouped } from "./text.ts";
import { classTable, mistakeLines } from "./report/class_table.ts";
import { describe, type Described } from "../train/described.ts";
import { Predictions } from "../train/predictions.ts";
import type { Reporter, Score, Which } from "../train/types.ts";

/** What is evaluated, and on what. */
export interface EvaluateOptions extends ValidationOptions, PictureOptions {
  /** A safetensors file, or an ONNX file that `export` wrote. */
  readonly file: string;
  /** The network out of that file. Default: it is read. */
  readonly network?: Checkpoint;
  readonly batchSize: number;
}

/** What an evaluation came to. */
export interface EvaluateReport extends Score, Described {
  readonly file: string;
  readonly which: Which;
  readonly dataset: string;
  readonly images: number;
  /** Whether they are the test images of the set. */
  readonly test: boolean;
  readonly imagesPerSecond: number;
  /** The GPU's own words for itself, or onnxruntime-web and its version. */
  readonly runtime: string;
}

/** What an evaluation has seen, for pictures of it. */
export interface Seen {
  readonly report: EvaluateReport;
  readonly predictions: Predictions;
  readonly dataset: Dataset | PictureSet;
}

/** A data set in batches. */
interface Images {
  readonly file: string;
  readonly dataset: Dataset | PictureSet;
  readonly batch: number;
  /** Is told how far the evaluation is. */
  readonly reporter: Pick<Reporter, "work">;
  readonly openPictures: OpenPictures;
}

/** A score and how long it took. */
type Timed = Pick<EvaluateReport, "top1" | "top5" | "loss" | "imagesPerSecond" | "runtime">;

/** A score, and the images that it is of. */
type Found = Timed & Pick<Images, "dataset"> & Pick<EvaluateReport, "which"> & {
  readonly predictions: Predictions;
};

/** What is asked for, of images that are not opened before the network says which it takes. */
interface Asked extends Omit<Images, "dataset"> {
  readonly options: ValidationOptions;
}

/** The images that are asked for, for a network. */
async function imagesFor(info: CheckpointInfo, { options, ...asked }: Asked): Promise<Images> {
  const images = { ...asked, dataset: await openValidation(options, info, asked.openPictures) };
  checkImages(info, images);
  return images;
}

/** Runs once on a first batch, for what only a first run does, then on all. */
async function timed(
  score: (batches: Batches, work?: ImageWork, predictions?: Predictions) => Promise<Score>,
  { dataset, batch, reporter }: Images,
): Promise<Score & { imagesPerSecond: number; predictions: Predictions }> {
  const first = await firstBatch({ dataset, batch });
  await score([first]);
  const work = new ImageWork({ work: { what: "evaluation", total: dataset.length }, reporter });
  const start = performance.now();
  const predictions = new Predictions(dataset.classes.length);
  const found = await score(validationBatches({ dataset, batch }), work, predictions);
  return {
    ...found,
    predictions,
    imagesPerSecond: 1000 * dataset.length / (performance.now() - start),
  };
}

async function onKernels(checkpoint: Checkpoint, asked: Asked): Promise<Found> {
  const images = await imagesFor(checkpoint, asked);
  const gpu = await Gpu.open();
  try {
    using scope = gpu.scope();
    const session = await KernelSession.open(scope, { checkpoint, ...images });
    return {
      which: checkpoint.which,
      dataset: images.dataset,
      ...await timed((...all) => session.score(...all), images),
      runtime: gpu.adapter,
    };
  } finally {
    gpu.destroy();
  }
}

/** The sums that the kernels count, of one batch after the other. */
async function scoreOnnx(
  session: OnnxSession,
  { batches, classes, work, predictions }: {
    batches: Batches;
    classes: number;
    work?: ImageWork;
    predictions?: Predictions;
  },
): Promise<Score> {
  const counted = new LogitsScore(classes);
  for await (const batch of batches) {
    const logits = await session.logits(batch);
    predictions?.add(batch, logits);
    counted.add(batch, logits);
    work?.sent(batch.count);
    work?.waited();
  }
  return counted.score;
}

async function onRuntime(bytes: Uint8Array, asked: Asked): Promise<Found> {
  const session = await OnnxSession.open(bytes, asked.file);
  try {
    const images = await imagesFor(session.info, asked);
    const classes = images.dataset.classes.length;
    return {
      which: session.info.which,
      dataset: images.dataset,
      ...await timed(
        (batches, work, predictions) => scoreOnnx(session, { batches, classes, work, predictions }),
        images,
      ),
      runtime: `onnxruntime-web ${RUNTIME}, one thread`,
    };
  } finally {
    await session.close();
  }
}

/** Runs what a file holds. */
async function onFile(asked: Asked): Promise<Found> {
  const { file } = asked;
  const bytes = await readFile(file).catch((cause) => {
    throw new DataError(
      `Cannot evaluate: wanted a file that train or export wrote, found ` +
        foundInstead(file, cause),
      { cause },
    );
  });
  if (isOnnx(bytes, file)) return await onRuntime(bytes, asked);
  return await onKernels(parseCheckpoint(bytes, file), asked);
}

/**
 * Accuracy, loss and speed of a saved network on the validation images that options name. `seen` is
 * told of them while they can still be read.
 */
export async function evaluate(
  options: EvaluateOptions,
  reporter: Pick<Reporter, "work" | "note"> = { work() {}, note() {} },
  seen?: (seen: Seen) => Promise<void>,
): Promise<EvaluateReport> {
  const { file, network, batchSize: batch } = options;
  using pictures = await openRunPictures(options, (text) => reporter.note(text));
  const { open: openPictures } = pictures;
  const asked = { file, batch, reporter, options, openPictures };
  const found = network ? await onKernels(network, asked) : await onFile(asked);
  const { dataset, predictions, ...score } = found;
  if (!Number.isFinite(score.loss)) {
    throw new DataError(
      `Cannot evaluate ${
        printable(file, 300)
      }: wanted logits that are numbers, found a loss of ${score.loss}; ` +
        `take other weights`,
    );
  }
  const report = {
    file,
    dataset: dataset.name,
    images: predictions.images,
    test: dataset.part === "test",
    ...score,
    ...describe(predictions, dataset),
  };
  await seen?.({ report, predictions, dataset });
  return report;
}

/** The images of an evaluation, in words. */
function imagesText({ dataset, images, test }: EvaluateReport): string {
  const name = dataset.replace(/ (validation|test)$/, "");
  return `${grouped(images)} ${validationWord(test)} images of ${name}`;
}

/** Images a second, in three digits. */
function speedText({ imagesPerSecond }: EvaluateReport): string {
  return grouped(Number(imagesPerSecond.toPrecision(3)));
}

/** How much of an evaluation is told: with `quiet` nothing about classes and mistakes. */
interface Telling {
  readonly quiet: boolean;
}

/** What an evaluation came to, in two lines, then classes and mistakes. */
export function evaluateText(report: EvaluateReport, { quiet }: Telling): string {
  const { file, top1, top5, loss, runtime } = report;
  return `${file} on ${imagesText(report)}\n` +
    `top-1 ${percent(top1)}  top-5 ${percent(top5)}  loss ${loss.toFixed(3)}  ` +
    `${speedText(report)} images/s on ${runtime}\n${quiet ? "" : details(report)}`;
}

/** Classes and mistakes, after an empty line. */
function details({ classes, macro, mistakes }: EvaluateReport): string {
  return ["", ...classTable(classes, macro), ...mistakeLines(mistakes)].join("\n") + "\n";
}

/** What the evaluations of the networks of a run came to, as a table, then classes and mistakes. */
export function evaluateTable(
  run: string,
  reports: readonly EvaluateReport[],
  { quiet }: Telling,
): string {
  const [first] = reports;
  const told = quiet ? [] : reports;
  return [
    `${run} on ${imagesText(first)}`,
    ...columns([
      ["network", "top-1", "top-5", "loss", "images/s"],
      ...reports.map((report) => [
        report.which,
        percent(report.top1),
        percent(report.top5),
        report.loss.toFixed(3),
        speedText(report),
      ]),
    ]),
    `on ${first.runtime}`,
  ].join("\n") + "\n" +
    told.map((report) => `\nthe ${networkWords(report.which)}${details(report)}`).join("");
}
