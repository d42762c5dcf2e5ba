import { onInterrupt } from "./interrupt.ts";
import type { RunRequest } from "../options.ts";
import { checkFolder } from "./output_folder.ts";
import { ProgressLine } from "../report/progress.ts";
import { RunFolder } from "./run_folder.ts";
import type { AugmentedImage } from "../../train/augmented_batch.ts";
import type { TrainResult } from "../../train/train.ts";
import type { Reporter, TrainOptions } from "../../train/types.ts";
import { encodeWidths, type WidthsFound } from "../../export/widths_file.ts";

/** Where text goes. */
export interface Output {
  readonly print: (text: string) => void;
  readonly printError: (text: string) => void;
}

/** Columns of the terminal, 80 where they cannot be told. */
export function terminalWidth(): number {
  try {
    return Deno.consoleSize().columns || 80;
  } catch {
    return 80;
  }
}

/** Draws a picture; a run without it is still a good one. */
export async function picture<Content extends string | Uint8Array>(
  name: string,
  draw: () => Promise<Content>,
  note: (text: string) => void,
): Promise<[string, Content][]> {
  try {
    return [[name, await draw()]];
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    note(`Cannot draw ${name}: ${reason}`);
    return [];
  }
}

/** Saves what a search has found, and a picture of it. */
export async function saveWidths(
  folder: RunFolder,
  { file, full }: WidthsFound,
  reporter: Reporter,
): Promise<void> {
  await folder.write("widths.json", encodeWidths(file));
  const drawn = await picture("widths.svg", async () => {
    const { drawWidths } = await import("../report/widths_picture.ts");
    return await drawWidths(file, full);
  }, reporter.note);
  for (const [name, content] of drawn) await folder.write(name, content);
}

/** Draws the first batch while the run goes on, and writes it as soon as it is drawn. */
async function saveBatch(
  folder: RunFolder,
  images: readonly AugmentedImage[],
  { title, note }: { readonly title: string; readonly note: (text: string) => void },
): Promise<void> {
  const drawn = await picture("batch.png", async () => {
    const { drawBatch } = await import("../report/batch_picture.ts");
    return await drawBatch(images, title);
  }, note);
  for (const [name, content] of drawn) {
    const problem = await folder.put(name, content);
    if (problem) note(problem);
  }
}

/**
 * Does a run in its folder, with progress on the console: `run` trains, and gives what to save, or
 * nothing when it has saved all there is.
 */
export async function inRunFolder(
  request: RunRequest,
  output: Output,
  { kind, run }: {
    /** What the run is called. */
    readonly kind: string;
    readonly run: (
      options: TrainOptions,
      reporter: Reporter,
      folder: RunFolder,
    ) => Promise<TrainResult | undefined>;
  },
): Promise<void> {
  const { options } = request;
  await checkFolder(options.output, request);
  using folder = new RunFolder(options.output, request);
  const progress = new ProgressLine({
    write: output.print,
    terminal: Deno.stdout.isTerminal(),
    width: terminalWidth,
    now: () => performance.now(),
    quiet: request.quiet,
  });
  let test = false;
  const { model, dataset, seed, smoothing } = options;
  const title = `${model}, ${kind}, ${dataset}, seed ${seed}`;
  let batch: Promise<void> | undefined;
  const reporter: Reporter = {
    start: (info) => {
      test = info.test;
      if (!folder.started) folder.start(request.config);
      progress.start({ ...info, options: { ...info.options, output: folder.path } });
    },
    batch: (images) => {
      batch ??= saveBatch(folder, images, { title, note: reporter.note });
    },
    progress: (found) => progress.progress(found),
    work: (work) => progress.work(work),
    epoch: (metrics) => {
      const problem = folder.append(metrics);
      progress.epoch(metrics);
      if (problem) progress.note(problem);
    },
    note: (text) => progress.note(text),
  };
  const { printError } = output;
  const stopListening = onInterrupt(progress, { kept: () => folder.kept(), printError });
  try {
    const result = await run(options, reporter, folder);
    await batch;
    if (!result) {
      folder.publish();
      return output.print(`${[...(await folder.sizes()).keys()].join(", ")} in ${folder.path}\n`);
    }
    const { summary, files, predictions } = result;
    const curves = await picture("curves.svg", async () => {
      const { drawCurves } = await import("../report/curves.ts");
      return await drawCurves(folder.metrics, title, { test, smoothing });
    }, reporter.note);
    const [which] = (["small", "base"] as const).filter((which) => predictions[which]);
    const counted = predictions[which];
    const confusion = counted
      ? await picture("confusion.svg", async () => {
        const { drawConfusion } = await import("../report/confusion_picture.ts");
        const words = `${title}: the ${which} network, ${test ? "test" : "validation"} images`;
        return await drawConfusion(counted, { title: words, names: result.classes });
      }, reporter.note)
      : [];
    const drawn = [...curves, ...confusion];
    await folder.finish(new Map<string, Uint8Array | string>([...files, ...drawn]), summary);
    progress.finish(summary, { files: await folder.sizes(), folder: folder.path });
  } finally {
    progress.end();
    stopListening();
  }
}
