import { firstBatch, validationBatches } from "../data/picture_batches.ts";
import { percent, plural } from "../data/words.ts";
import { encodeGraph, encodeOnnx, graphOf, parseOnnxInfo } from "../export/onnx.ts";
import type { OnnxGraph } from "../export/onnx_graph.ts";
import { OnnxSession, RUNTIME } from "../export/onnx_session.ts";
import { calibratedRanges } from "../export/quantize/calibration.ts";
import type { Calibration } from "../export/quantize/calibration_names.ts";
import { halfGraph } from "../export/quantize/half_graph.ts";
import { integerGraph } from "../export/quantize/integer_graph.ts";
import { ImageWork } from "../train/image_work.ts";
import { latencyProgress } from "../train/latency_progress.ts";
import type { Reporter } from "../train/types.ts";
import {
  agreementOf,
  type CompactPrecision,
  demandTop1,
  type Scored,
  scored,
} from "./compact_score.ts";
import type { ExportOptions } from "./export.ts";
import { processorTime } from "./processor_time.ts";
import { adapterWords, chosenBrowser, openInBrowser } from "./run/browser_check.ts";
import { type ExportSource, openSource } from "./run/export_source.ts";
import { pageWords, writePage } from "./run/page_files.ts";
import { openCalibration } from "./run/run_data.ts";
import { writeWhole } from "./run/whole_file.ts";
import { columns, fileSize, grouped } from "./text.ts";

/** Images calibrated on at a time, and runs the quickest of which counts. */
const CALIBRATED = 4;
const LATENCY_RUNS = 20;

/** Numbers of less than 32 bits: the end of the names of their files, and what they are called. */
const PRECISIONS = {
  int8: "8-bit integers",
  fp16: "weights of 16 bits",
} as const satisfies Readonly<Record<CompactPrecision, string>>;

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
  readonly precision: CompactPrecision;
  /** How it was calibrated, in words; of int8 only. */
  readonly calibrated?: string;
  readonly float32: Measured;
  readonly compact: Measured;
  /** Part of the validation images that both give the same class. */
  readonly agreement: number;
  readonly images: number;
  /** What the file came to in a browser's WebGPU. */
  readonly browser?: CompactInBrowser;
  /** The page beside the file. */
  readonly page?: string;
}

/** A file in fewer bits in the WebGPU of a browser. */
export interface CompactInBrowser {
  /** The adapter in the browser's words. */
  readonly adapter: string;
  readonly top1: number;
  /** Part of the validation images that it gives the class it gives them in WebAssembly. */
  readonly agreement: number;
}

/** A graph in fewer bits, and what its file says of it. */
interface Compact {
  readonly graph: OnnxGraph;
  readonly metadata: Readonly<Record<string, string>>;
  readonly calibrated?: string;
}

type Told = Pick<Reporter, "work" | "note">;

async function compactOf(
  precision: CompactPrecision,
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

/**
 * Exports a network of a run as ONNX in fewer bits. The file is written only after it has run over
 * all validation images of the run, and got at most so many fewer of them right than the file of
 * float32, else a {@link VerificationError} is raised.
 */
export async function exportCompact(
  precision: CompactPrecision,
  options: CompactOptions,
  reporter: Told = { work() {}, note() {} },
): Promise<CompactReport> {
  const { includeNormalization, maxDrop } = options;
  const { browser: asked } = options;
  const browser = asked === undefined
    ? undefined
    : await chosenBrowser(asked, (text) => reporter.note(text));
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
  const found = await scored([float32, measured].map((file) => (batch) => file.logits(batch)), {
    ...{ dataset, reporter, what: "verification" },
  });
  const [of32, ofCompact] = found;
  const { which } = checkpoint;
  demandTop1([of32, ofCompact], { which, precision, maxDrop });
  // The same graph, with its own accuracy in the metadata.
  const bytes = encode(ofCompact.score.score.top1);
  const inBrowser = browser === undefined || asked === undefined
    ? undefined
    : await scoreInBrowser({ browser, asked, bytes }, {
      ...{ dataset, reporter, float32: of32, compact: ofCompact, which, precision, maxDrop },
    });
  const written = await open(bytes, output);
  const first = await firstBatch({ dataset, batch: 1 });
  const timed = latencyProgress(reporter, LATENCY_RUNS);
  const latencies = await OnnxSession.latencies([float32, written], first, {
    ...{ runs: LATENCY_RUNS, now: processorTime, timed },
  });
  await writeWhole(output, bytes);
  if (page !== undefined) await writePage(page, output, parseOnnxInfo(bytes, output));
  const measuredAs = (i: number): Measured => ({
    top1: found[i].score.score.top1,
    fileBytes: [floatBytes, bytes][i].length,
    latency: latencies[i],
  });
  return {
    ...{ output, precision, agreement: agreementOf(of32, ofCompact), images: of32.score.images },
    ...{ float32: measuredAs(0), compact: measuredAs(1) },
    ...inBrowser === undefined ? {} : { browser: inBrowser },
    ...compact.calibrated === undefined ? {} : { calibrated: compact.calibrated },
    ...page === undefined ? {} : { page },
  };
}

/**
 * Runs a file in fewer bits over all validation images in a browser's WebGPU, where it may lose no
 * more than in WebAssembly; nothing where `auto` finds no adapter.
 */
async function scoreInBrowser(
  { browser, asked, bytes }: {
    readonly browser: string;
    readonly asked: string;
    readonly bytes: Uint8Array;
  },
  { dataset, reporter, float32, compact, ...allowed }:
    & Pick<ExportSource, "dataset">
    & Omit<Parameters<typeof demandTop1>[1], "where">
    & { readonly reporter: Told; readonly float32: Scored; readonly compact: Scored },
): Promise<CompactInBrowser | undefined> {
  const note = (text: string): void => reporter.note(text);
  const session = await openInBrowser(browser, bytes, { asked, note });
  if (!session) return undefined;
  try {
    const adapter = adapterWords(session.adapter);
    const [found] = await scored([(batch) => session.logits(batch)], {
      ...{ dataset, reporter, what: "verification in WebGPU" },
    });
    demandTop1([float32, found], { ...allowed, where: `the WebGPU of ${browser} (${adapter})` });
    return { adapter, top1: found.score.score.top1, agreement: agreementOf(compact, found) };
  } finally {
    await session.close();
  }
}

/** What an export in fewer bits came to: both files side by side. */
export function compactText(
  { output, precision, calibrated, float32, compact, agreement, images, browser, page }:
    CompactReport,
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
    ...browser === undefined ? [] : [
      `in its WebGPU (${browser.adapter}) ${percent(browser.top1)} top-1, ${
        percent(browser.agreement)
      } same class as in WebAssembly`,
    ],
    ...page === undefined ? [] : [pageWords(page)],
  ].join("\n") + "\n";
}
