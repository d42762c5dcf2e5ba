import { networkWords } from "../nn/which.ts";
import { readFile } from "./run/read_file.ts";
import type { Batch } from "../data/batch.ts";
import type { Dataset } from "../data/dataset.ts";
import { DataError } from "../data/error.ts";
import { foundInstead } from "../data/found_instead.ts";
import { firstBatch } from "../data/picture_batches.ts";
import type { PictureSet } from "../data/pictures.ts";
import { Gpu } from "../kernels/gpu.ts";
import type { Scope } from "../kernels/program/scope.ts";
import { type Checkpoint, encodeCheckpoint, parseCheckpoint } from "../export/checkpoint.ts";
import { VerificationError } from "../train/errors.ts";
import type { TrainingState } from "../train/resume/training_state.ts";
import { chosenNetwork } from "./run/chosen_network.ts";
import { networksIn } from "./run/networks_in.ts";
import {
  checkOutput,
  type Format,
  makeFolderOf,
  outputFile,
  outputPlace,
} from "./run/export_output.ts";
import { ImageWork } from "../train/image_work.ts";
import { KernelSession } from "../train/kernel_session.ts";
import { encodeOnnx, parseOnnxInfo } from "../export/onnx.ts";
import { OnnxSession, RUNTIME } from "../export/onnx_session.ts";
import { demandPictures, pageOf, pageWords, writePage } from "./run/page_files.ts";
import { openRunPictures } from "./run/run_pictures.ts";
import { checkImages, openValidation } from "./run/run_data.ts";
import { checkNotMoved, imagesOf, savedNetwork, usualSmall } from "./run/run_images.ts";
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
export interface ExportOptions {
  /** A run folder, a checkpoint of a run, or a safetensors file in a run folder. */
  readonly run: string;
  /** Default: `small`, or what the file holds. */
  readonly which?: Which;
  readonly format: Format;
  /** Whether the ONNX graph takes pixels from 0 to 255 and normalises them. */
  readonly includeNormalization: boolean;
  /** A file, or a folder for one. Default: beside the network. */
  readonly output?: string;
  /** Whether to write a page beside the ONNX file that says what pictures show. Default: no. */
  readonly page?: boolean;
  readonly overwrite: boolean;
  /** Where the images of the run lie now. Default: where they lay. */
  readonly dataDir?: string;
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
  const { format, includeNormalization, overwrite, dataDir } = options;
  const saved = savedNetwork(options.run, options.which ?? usualSmall(options.run));
  const { file } = saved;
  const { checkpoint, state } = await load(file, options.which);
  const { which } = checkpoint;
  const place = outputPlace(saved, { isCheckpoint: state !== undefined });
  const extension = format === "onnx" ? "onnx" : "torch.safetensors";
  const output = outputFile(options.output ?? place.folder, `${place.prefix}${which}.${extension}`);
  const page = options.page ? pageOf(output) : undefined;
  if (page !== undefined) demandPictures(checkpoint, file);
  for (const path of [output, ...page === undefined ? [] : [page]]) {
    await checkOutput(path, { format, overwrite, keeps: place.keeps });
  }
  const images = await imagesOf(saved, state);
  if (dataDir === undefined) checkNotMoved(saved, images, state);
  const asked = { ...images, dataDir: dataDir ?? images.dataDir };
  using pictures = await openRunPictures(asked, (text) => reporter.note(text));
  const dataset = await openValidation(asked, checkpoint, pictures.open);
  checkImages(checkpoint, { dataset, file });
  await makeFolderOf(output);
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
    const both = [(batch: Batch) => own.logits(batch), logits] as const;
    const verify = await compareLogits(both, { dataset, batch: BATCH }, work);
    demandEqual(verify, which);
    const latency = await exported.latency?.(latencyProgress(reporter, LATENCY_RUNS));
    await writeWhole(output, bytes);
    if (page !== undefined) await writePage(page, output, parseOnnxInfo(bytes, output));
    const fileBytes = bytes.length;
    return {
      ...{ output, fileBytes, parameterBytes, verify },
      ...latency === undefined ? {} : { latency },
      ...page === undefined ? {} : { page },
    };
  } finally {
    await exported?.close?.();
    gpu.destroy();
  }
}

/** What an export came to, in a line for each. */
export function exportText({ output, verify, ...report }: ExportReport): string {
  const { fileBytes, parameterBytes, latency, page } = report;
  const over = (fileBytes / parameterBytes).toFixed(3);
  return [
    `${output}: ${fileSize(fileBytes)}, ${over} times its ${grouped(parameterBytes)} bytes of ` +
    `parameters`,
    equalityLine("the file", "the trained network", verify),
    ...latency === undefined
      ? []
      : [`${latency.toPrecision(3)} ms for one image in onnxruntime-web ${RUNTIME}, one thread`],
    ...page === undefined ? [] : [pageWords(page)],
  ].join("\n") + "\n";
}
