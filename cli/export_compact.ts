import type { Batch } from "../data/batch.ts";
import { firstBatch, validationBatches } from "../data/picture_batches.ts";
import { percent, plural } from "../data/words.ts";
import { encodeGraph, encodeOnnx, graphOf, parseOnnxInfo } from "../export/onnx.ts";
import type { OnnxGraph } from "../export/onnx_graph.ts";
import { OnnxSession, RUNTIME } from "../export/onnx_session.ts";
import { calibratedRanges, type Calibration } from "../export/quantize/calibration.ts";
import { halfGraph } from "../export/quantize/half_graph.ts";
import { integerGraph } from "../export/quantize/integer_graph.ts";
import { networkWords } from "../nn/which.ts";
import { VerificationError } from "../train/errors.ts";
import { ImageWork } from "../train/image_work.ts";
import { latencyProgress } from "../train/latency_progress.ts";
import { LogitsScore } from "../train/logits_score.ts";
import type { Reporter, Which } from "../train/types.ts";
import type { ExportOptions } from "./export.ts";
import { type ExportSource, openSource } from "./run/export_source.ts";
import { pageWords, writePage } from "./run/page_files.ts";
import { openCalibration } from "./run/run_data.ts";
import { writeWhole } from "./run/whole_file.ts";
import { columns, fileSize, grouped } from "./text.ts";

/** Images measured at a time, images calibrated on at a time, and runs the quickest of which counts. */
const BATCH = 32;
const CALIBRATED = 4;
const LATENCY_RUNS = 20;

/** Numbers of less than 32 bits: the end of the names of their files, and what they are called. */
const PRECISIONS = {
  int8: "8-bit integers",
  fp16: "weights of 16 bits",
} as const;

/** A kind of such numbers. */
export type Precision = keyof typeof PRECISIONS;

/** What is exported, and how much it may lose. */
export interface CompactOptions extends ExportOptions {
  readonly calibration: Calibration;
  /** Training images that ranges are taken from. */
  readonly calibrationImages: number;
  /** Points of top-1 that may be lost. */
  readonly maxDrop: number;
}

/** One of the files, measured. */
export interface Measured {
  readonly top1: number;
  readonly fileBytes: number;
  /** Milliseconds for one image in onnxruntime-web. */
  readonly latency: number;
}

/** What an export in fewer bits came to. */
export interface CompactReport {
  readonly output: string;
  readonly precision: Precision;
  /** How it was calibrated, in words; of int8 only. */
  readonly calibrated?: string;
  readonly float32: Measured;
  readonly compact: Measured;
  /** Part of the validation images that both give the same class. */
  readonly agreement: number;
  readonly images: number;
  /** The page beside the file. */
  readonly page?: string;
}

/** A graph in fewer bits, and what its file says of it. */
interface Compact {
  readonly graph: OnnxGraph;
  readonly metadata: Readonly<Record<string, string>>;
  readonly calibrated?: string;
}

type Told = Pick<Reporter, "work" | "note">;

async function compactOf(
  precision: Precision,
  { checkpoint, images, openPictures }: ExportSource,
  { includeNormalization, calibration, calibrationImages }: CompactOptions,
  reporter: Told,
): Promise<Compact> {
  const graph = graphOf(checkpoint, { includeNormalization });
  if (precision === "fp16") {
    return {
      graph: halfGraph(graph),
      metadata: { precision, quantization: "weights of 16 bits, arithmetic of float32" },
    };
  }
  const asked = { info: checkpoint, count: calibrationImages, openPictures };
  const dataset = await openCalibration(images, asked);
  const work = new ImageWork({ work: { what: "calibration", total: dataset.length }, reporter });
  let seen = 0;
  const ranges = await calibratedRanges(checkpoint, {
    images: validationBatches({ dataset, batch: Math.min(CALIBRATED, dataset.length) }),
    ...{ calibration, includeNormalization },
    done: (count) => {
      seen += count;
      work.sent(count);
      work.waited();
    },
  });
  return {
    graph: integerGraph(graph, ranges),
    metadata: {
      precision,
      quantization:
        "QDQ: symmetric weights of int8 for each output channel, values of uint8 with " +
        "one scale and zero point each, biases of int32",
      calibration,
      calibration_images: String(seen),
    },
    calibrated: `calibrated by ${calibration} on ${plural(seen, "training image")}`,
  };
}

/** The index of the largest logit of each image. */
function classesOf({ count }: Batch, logits: Float32Array): number[] {
  const classes = logits.length / count;
  return Array.from({ length: count }, (_, i) => {
    const own = logits.subarray(i * classes, (i + 1) * classes);
    return own.reduce((best, value, c) => value > own[best] ? c : best, 0);
  });
}

/** Counts what two files get right of the same images, and how often they agree. */
async function scored(
  files: readonly [OnnxSession, OnnxSession],
  { dataset }: ExportSource,
  reporter: Told,
): Promise<{ readonly scores: readonly [LogitsScore, LogitsScore]; readonly agreement: number }> {
  const scores = [0, 1].map(() => new LogitsScore(dataset.classes.length));
  const work = new ImageWork({ work: { what: "verification", total: dataset.length }, reporter });
  let agreeing = 0;
  for await (const batch of validationBatches({ dataset, batch: BATCH })) {
    const found: number[][] = [];
    for (const [i, file] of files.entries()) {
      const logits = await file.logits(batch);
      scores[i].add(batch, logits);
      found.push(classesOf(batch, logits));
    }
    agreeing += found[0].filter((c, i) => c === found[1][i]).length;
    work.sent(batch.count);
    work.waited();
  }
  const [first, second] = scores;
  return { scores: [first, second], agreement: agreeing / first.images };
}

/** Raises a {@link VerificationError} where a file gets too few images right. */
function demandTop1(
  [float32, compact]: readonly [LogitsScore, LogitsScore],
  { which, precision, maxDrop }: { which: Which; precision: Precision; maxDrop: number },
): void {
  const { images } = float32;
  // Of whole images, so that a drop of just what is allowed is one.
  const drop = 100 * (float32.right - compact.right) / images;
  if (drop <= maxDrop) return;
  const cures = precision === "int8"
    ? "another --calibration, more --calibration-images, or a larger --max-drop"
    : "a larger --max-drop";
  throw new VerificationError(
    `Cannot export the ${networkWords(which)} in ${precision}: wanted top-1 to fall by at most ` +
      `${plural(maxDrop, "point")}, found ${Number(drop.toFixed(2))}, from ${
        percent(float32.score.top1)
      } to ` +
      `${percent(compact.score.top1)} of ${grouped(images)} images; nothing was written; try ` +
      cures,
  );
}

/**
 * Exports a network of a run as ONNX in fewer bits. The file is written only after it has run over
 * all validation images of the run, and got at most so many fewer of them right than the file of
 * float32, else a {@link VerificationError} is raised.
 */
export async function exportCompact(
  precision: Precision,
  options: CompactOptions,
  reporter: Told = { work() {}, note() {} },
): Promise<CompactReport> {
  const { includeNormalization, maxDrop } = options;
  using source = await openSource(options, `${precision}.onnx`, (text) => reporter.note(text));
  const { checkpoint, dataset, output, page } = source;
  const { network: _, state: __, ...info } = checkpoint;
  const compact = await compactOf(precision, source, options, reporter);
  const encode = (top1 = info.top1): Uint8Array<ArrayBuffer> =>
    encodeGraph({ ...compact, info: { ...info, top1 }, includeNormalization }).bytes;
  const { bytes: floatBytes } = encodeOnnx(checkpoint, { includeNormalization });
  await using stack = new AsyncDisposableStack();
  const open = async (bytes: Uint8Array, name: string): Promise<OnnxSession> =>
    stack.adopt(await OnnxSession.open(bytes, name), (session) => session.close());
  const float32 = await open(floatBytes, "the network in float32");
  const measured = await open(encode(), `the network in ${precision}`);
  const { scores, agreement } = await scored([float32, measured], source, reporter);
  demandTop1(scores, { which: checkpoint.which, precision, maxDrop });
  // The same graph, with its own accuracy in the metadata.
  const bytes = encode(scores[1].score.top1);
  const written = await open(bytes, output);
  const first = await firstBatch({ dataset, batch: 1 });
  const timed = latencyProgress(reporter, LATENCY_RUNS);
  const latencies = await OnnxSession.latencies([float32, written], first, {
    runs: LATENCY_RUNS,
    timed,
  });
  await writeWhole(output, bytes);
  if (page !== undefined) await writePage(page, output, parseOnnxInfo(bytes, output));
  const [of32, ofCompact] = [floatBytes, bytes].map((file, i) => ({
    top1: scores[i].score.top1,
    fileBytes: file.length,
    latency: latencies[i],
  }));
  return {
    ...{ output, precision, agreement, images: scores[0].images },
    ...{ float32: of32, compact: ofCompact },
    ...compact.calibrated === undefined ? {} : { calibrated: compact.calibrated },
    ...page === undefined ? {} : { page },
  };
}

/** What an export in fewer bits came to: both files side by side. */
export function compactText(
  { output, precision, calibrated, float32, compact, agreement, images, page }: CompactReport,
): string {
  const row = (name: string, { top1, fileBytes, latency }: Measured): string[] => [
    name,
    percent(top1),
    fileSize(fileBytes),
    latency.toPrecision(3),
  ];
  return [
    [`${output}: ${PRECISIONS[precision]}`, ...calibrated === undefined ? [] : [calibrated]]
      .join(", "),
    ...columns([
      ["", "top-1", "file", "ms for one image"],
      row("float32", float32),
      row(precision, compact),
    ]),
    `${percent(agreement)} same class over ${grouped(images)} images; in onnxruntime-web ` +
    `${RUNTIME}, one thread`,
    ...page === undefined ? [] : [pageWords(page)],
  ].join("\n") + "\n";
}
