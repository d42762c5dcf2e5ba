import { networkWords } from "../nn/which.ts";
import type { Dataset } from "../data/dataset.ts";
import { firstBatch } from "../data/picture_batches.ts";
import type { PictureSet } from "../data/pictures.ts";
import { Gpu } from "../kernels/gpu.ts";
import type { Scope } from "../kernels/program/scope.ts";
import { type Checkpoint, encodeCheckpoint, parseCheckpoint } from "../export/checkpoint.ts";
import { VerificationError } from "../train/errors.ts";
import {
  browserLine,
  type BrowserVerification,
  checkInBrowser,
  chosenBrowser,
} from "./run/browser_check.ts";
import { openSource, type SourceOptions } from "./run/export_source.ts";
import { ImageWork } from "../train/image_work.ts";
import { KernelSession } from "../train/kernel_session.ts";
import { encodeOnnx, parseOnnxInfo } from "../export/onnx.ts";
import { OnnxSession, RUNTIME } from "../export/onnx_session.ts";
import { pageWords, writePage } from "./run/page_files.ts";
import { fileSize, grouped } from "./text.ts";
import { equalityLine } from "./report/equality.ts";
import { latencyProgress } from "../train/latency_progress.ts";
import type { Reporter, Verification, Which } from "../train/types.ts";
import { areEqual, compareLogits, inequality, type LogitsOf } from "../train/verify.ts";
import { writeWhole } from "./run/whole_file.ts";

/** Images compared at a time, and runs whose median is the latency. */
const BATCH = 32;
const LATENCY_RUNS = 20;

/** What is exported, and where to. */
export interface ExportOptions extends SourceOptions {
  /** Whether the ONNX graph takes pixels from 0 to 255 and normalises them. */
  readonly includeNormalization: boolean;
  /** The program of a browser whose WebGPU runs the file as well, or `auto`. Default: none. */
  readonly browser?: string;
}

/** What an export came to. */
export interface ExportReport {
  readonly output: string;
  readonly fileBytes: number;
  /** Bytes of all numbers in the file. */
  readonly parameterBytes: number;
  readonly verify: Verification;
  /** Milliseconds for one image in onnxruntime-web; of ONNX only. */
  readonly latency?: number;
  /** What it came to in a browser's WebGPU. */
  readonly browser?: BrowserVerification;
  /** The page beside the file. */
  readonly page?: string;
}

/** Bytes to write, and a network that runs from them. */
interface Exported extends Pick<ExportReport, "parameterBytes"> {
  readonly bytes: Uint8Array;
  readonly logits: LogitsOf;
  latency?(timed: (done: number) => void): Promise<number>;
  close?(): Promise<void>;
}

/** What a file and its network are exported with. */
interface Bench {
  readonly checkpoint: Checkpoint;
  readonly dataset: Dataset | PictureSet;
  readonly scope: Scope;
}

async function asOnnx(
  { checkpoint, dataset }: Bench,
  options: Pick<ExportOptions, "includeNormalization">,
): Promise<Exported> {
  const { bytes, parameterBytes } = encodeOnnx(checkpoint, options);
  const session = await OnnxSession.open(bytes, "the exported network");
  const first = await firstBatch({ dataset, batch: 1 });
  return {
    bytes,
    parameterBytes,
    logits: (batch) => session.logits(batch),
    latency: (timed) => session.latency(first, LATENCY_RUNS, timed),
    close: () => session.close(),
  };
}

async function asSafetensors({ checkpoint, dataset, scope }: Bench): Promise<Exported> {
  const { network, state, ...info } = checkpoint;
  const bytes = encodeCheckpoint(network, state, info);
  const again = parseCheckpoint(bytes, "the exported network");
  const session = await KernelSession.open(scope, { checkpoint: again, dataset, batch: BATCH });
  const parameterBytes = [...again.state.values()].reduce((sum, v) => sum + v.byteLength, 0);
  return { bytes, parameterBytes, logits: (batch) => session.logits(batch) };
}

function demandEqual(found: Verification, which: Which): void {
  if (areEqual(found)) return;
  throw new VerificationError(
    `Cannot export the ${networkWords(which)}: the file has to give its logits ${
      inequality(found)
    }; ` +
      `nothing was written`,
  );
}

/**
 * Exports a network of a run. The file is written only after it has given the network's logits for
 * all validation images of the run, else a {@link VerificationError} is raised.
 */
export async function exportNetwork(
  options: ExportOptions,
  reporter: Pick<Reporter, "work" | "note"> = { work() {}, note() {} },
): Promise<ExportReport> {
  const { format, includeNormalization } = options;
  const extension = format === "onnx" ? "onnx" : "torch.safetensors";
  const { browser: asked } = options;
  const note = (text: string): void => reporter.note(text);
  const browser = asked === undefined ? undefined : await chosenBrowser(asked, note);
  using source = await openSource(options, extension, note);
  const { checkpoint, dataset, output, page } = source;
  const gpu = await Gpu.open();
  let exported: Exported | undefined;
  try {
    using scope = gpu.scope();
    const bench = { checkpoint, dataset, scope };
    const own = await KernelSession.open(scope, { checkpoint, dataset, batch: BATCH });
    exported = format === "onnx"
      ? await asOnnx(bench, { includeNormalization })
      : await asSafetensors(bench);
    const { bytes, parameterBytes, logits } = exported;
    const work = new ImageWork({ work: { what: "verification", total: dataset.length }, reporter });
    const trained: LogitsOf = (batch) => own.logits(batch);
    const verify = await compareLogits([trained, logits], { dataset, batch: BATCH }, work);
    const { which } = checkpoint;
    demandEqual(verify, which);
    const inBrowser = browser === undefined || asked === undefined
      ? undefined
      : await checkInBrowser(browser, { bytes, logits: trained, which, dataset, asked, reporter });
    const latency = await exported.latency?.(latencyProgress(reporter, LATENCY_RUNS));
    await writeWhole(output, bytes);
    if (page !== undefined) await writePage(page, output, parseOnnxInfo(bytes, output));
    const fileBytes = bytes.length;
    return {
      ...{ output, fileBytes, parameterBytes, verify },
      ...latency === undefined ? {} : { latency },
      ...inBrowser === undefined ? {} : { browser: inBrowser },
      ...page === undefined ? {} : { page },
    };
  } finally {
    await exported?.close?.();
    gpu.destroy();
  }
}

/** What an export came to, in a line for each. */
export function exportText({ output, verify, ...report }: ExportReport): string {
  const { fileBytes, parameterBytes, latency, browser, page } = report;
  const over = (fileBytes / parameterBytes).toFixed(3);
  return [
    `${output}: ${fileSize(fileBytes)}, ${over} times its ${grouped(parameterBytes)} bytes of ` +
    `parameters`,
    equalityLine("the file", "the trained network", verify),
    ...browser === undefined ? [] : [browserLine(browser)],
    ...latency === undefined
      ? []
      : [`${latency.toPrecision(3)} ms for one image in onnxruntime-web ${RUNTIME}, one thread`],
    ...page === undefined ? [] : [pageWords(page)],
  ].join("\n") + "\n";
}
