import { messageOf } from "../../data/message_of.ts";
import {
  type ByNetwork,
  entriesOf,
  isOneOfSeveral,
  networkWords,
  type Which,
} from "../../nn/which.ts";
import type { RunRequest } from "../options.ts";
import { printJson } from "../print.ts";
import { paintFor } from "../colour.ts";
import { adapterNotes } from "./adapter_note.ts";
import type { Course } from "../../train/resume/course.ts";
import { modelName } from "../../export/model_file_name.ts";
import type { Keeper } from "../../train/resume/keeper.ts";
import { goOnWords } from "./go_on.ts";
import { positionWords } from "./checkpoint_names.ts";
import { printable } from "../../data/printable.ts";
import { checkFolder } from "./output_folder.ts";
import { ProgressLine } from "../report/progress.ts";
import { keptFiles, type ReportedResult, writeReport } from "../report_page/write_report.ts";
import type { ParetoPoint } from "../report/pareto_points.ts";
import { ownPoints, pointsBeside, type SizeOf } from "./pareto_points_of.ts";
import { resolvedConfig } from "./run_config.ts";
import { RunFolder } from "./run_folder.ts";
import { Stopping } from "./stopping.ts";
import { EventFile } from "../tensorboard/event_file.ts";
import { LiveRun } from "../serve/live_run.ts";
import type { AugmentedImage } from "../../train/augmented_batch.ts";
import type { Reporter, TrainOptions } from "../../train/types.ts";
import { encodeWidths, type WidthsFound } from "../../export/widths_file.ts";

/** The networks whose confusion matrices are drawn: all small ones, else the base network. */
function pictured<Value>(predictions: Readonly<ByNetwork<Value>>): (readonly [Which, Value])[] {
  const all = entriesOf(predictions);
  const small = all.filter(([which]) => which !== "base");
  return small.length ? small : all;
}

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
    const reason = messageOf(error);
    note(`Cannot draw ${name}: ${reason}`);
    return [];
  }
}

/** The picture of what networks take, where there are several; see {@link picture}. */
export async function paretoPicture(
  points: readonly ParetoPoint[],
  { note, ...of }: {
    readonly title: string;
    readonly test: boolean;
    readonly note: (text: string) => void;
  },
): Promise<[string, string][]> {
  if (points.length < 2) return [];
  return await picture("pareto.svg", async () => {
    const { drawPareto } = await import("../report/pareto_picture.ts");
    return await drawPareto(points, of);
  }, note);
}

/** Saves what a search has found, and a picture of it. */
export async function saveWidths(
  folder: RunFolder,
  { file, full }: WidthsFound,
  { which, reporter }: { readonly which: Which; readonly reporter: Reporter },
): Promise<void> {
  const prefix = isOneOfSeveral(which) ? `${which}-` : "";
  await folder.put(`${prefix}widths.json`, encodeWidths(file));
  const drawn = await picture(`${prefix}widths.svg`, async () => {
    const { drawWidths } = await import("../report/widths_picture.ts");
    return await drawWidths(file, full);
  }, reporter.note);
  for (const [name, content] of drawn) await folder.put(name, content);
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
  for (const [name, content] of drawn) await folder.put(name, content);
}

/** How the run of a request is kept from loss. */
export function courseOf(
  { from, config }: RunRequest,
  { keeper, stopping }: { readonly keeper: Keeper; readonly stopping: Stopping },
): Course {
  return {
    keeper,
    from: from?.state,
    stopped: () => stopping.stopped(),
    config: resolvedConfig(config),
  };
}

/** Remarks on a run that goes on, a sentence each; `adapter` is the one that it goes on with. */
export function notesOf({ from, notes = [] }: RunRequest, adapter: string): string[] {
  const all = [...adapterNotes(adapter), ...notes];
  if (!from) return all;
  const { state: { run } } = from;
  return [
    ...all,
    `goes on from ${positionWords(from.state)}`,
    ...run.adapter === adapter ? [] : [
      `the run was on ${
        printable(run.adapter)
      }: with another adapter, results are not equal to the ` +
      `last bit`,
    ],
  ];
}

/**
 * Does a run in its folder, with progress on the console: `run` trains, and gives what to save, or
 * nothing when it has saved all there is. A run that is told to end raises an {@link EndedError}.
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
      course: Course,
    ) => Promise<ReportedResult | undefined>;
  },
): Promise<void> {
  const { options, from } = request;
  if (!from) await checkFolder(options.output, request);
  const beside = await pointsBeside(request.beside);
  const progress = new ProgressLine({
    write: output.print,
    terminal: Deno.stdout.isTerminal(),
    width: terminalWidth,
    paint: paintFor(Deno.stdout),
    now: () => performance.now(),
    quiet: request.quiet,
  });
  const note = (text: string): void => progress.note(text);
  using folder = new RunFolder(options.output, request, { note, keep: options.keep });
  const live = new LiveRun(folder, { serve: request.serve, note });
  await live.demand();
  const events = request.tensorboard ? new EventFile(() => folder.writes, note) : undefined;
  if (from) {
    folder.resume(from, request.config);
    events?.rewrite(from.history);
  }
  let test = false;
  const { model, dataset, seed, smoothing } = options;
  const title = `${modelName(model)}, ${kind}, ${dataset}, seed ${seed}`;
  let batch: Promise<void> | undefined;
  /** What is there, and the command that goes on with it. */
  const kept = (): string => folder.kept() + goOnWords(request, folder.resumable);
  /** Keeps what there is of a run that has not come to its end; gives whether in another folder. */
  const settle = async (): Promise<boolean> => {
    const rescued = await folder.settle();
    if (folder.started && !rescued) {
      await writeReport(folder.path, { beside: request.beside, note });
    }
    return rescued;
  };
  using stopping = new Stopping(progress, {
    kept,
    settled: async () => void await settle(),
    printError: output.printError,
    minutes: options.timeLimit,
  });
  let announced = false;
  const reporter: Reporter = {
    start: (info) => {
      stopping.between();
      test = info.test;
      if (!folder.started) folder.start(request.config);
      progress.start({ ...info, options: { ...info.options, output: folder.path } });
      if (announced) return;
      announced = true;
      live.begin();
      for (const text of notesOf(request, info.adapter)) note(text);
    },
    batch: (images) => {
      batch ??= saveBatch(folder, images, { title, note });
    },
    progress: (found) => {
      live.tell({ progress: found });
      progress.progress(found);
    },
    work: (work) => {
      stopping.during(work);
      live.tell({ work });
      progress.work(work);
    },
    epoch: (metrics) => {
      folder.append(metrics);
      events?.append(metrics);
      progress.epoch(metrics);
    },
    history: (epochs) => {
      folder.rewrite(epochs);
      events?.rewrite(epochs);
    },
    note,
  };
  const course = courseOf(request, { keeper: folder.keeper, stopping });
  try {
    const result = await run(options, reporter, folder, course);
    await batch;
    await live.settle();
    if (!result) {
      await folder.end();
      await writeReport(folder.path, { beside: request.beside, note });
      const names = [...(await folder.sizes()).keys()];
      if (request.json) return printJson({ folder: folder.path, files: names });
      return output.print(`${names.join(", ")} in ${folder.path}\n`);
    }
    const { summary, files, predictions } = result;
    const curves = await picture("curves.svg", async () => {
      const { drawCurves } = await import("../report/curves.ts");
      return await drawCurves(folder.metrics, title, { test, smoothing });
    }, note);
    const drawn = [...curves];
    for (const [which, counted] of pictured(predictions)) {
      const name = isOneOfSeveral(which) ? `${which}-confusion.svg` : "confusion.svg";
      drawn.push(
        ...await picture(name, async () => {
          const { drawConfusion } = await import("../report/confusion_picture.ts");
          const images = test ? "test" : "validation";
          const words = `${title}: the ${networkWords(which)}, ${images} images`;
          return await drawConfusion(counted, { title: words, names: result.classes });
        }, note),
      );
    }
    const sizeOf: SizeOf = (name) => Promise.resolve(files.get(name)?.length);
    const points = [...await ownPoints(summary, sizeOf), ...beside];
    drawn.push(...await paretoPicture(points, { title, test, note }));
    const all = [...files, ...drawn, ...keptFiles(result)];
    await folder.finish(new Map<string, Uint8Array | string>(all), summary);
    await writeReport(folder.path, { beside: request.beside, note });
    const sizes = await folder.sizes();
    if (request.json) {
      printJson({ ...summary, folder: folder.path, files: Object.fromEntries(sizes) });
    } else progress.finish(summary, { files: sizes, folder: folder.path });
  } catch (error) {
    await batch;
    throw await stopping.endedBy(error, { settle, note });
  } finally {
    progress.end();
    await live.end();
  }
}
