import type { ComparedRun, Comparison } from "../../train/compare/comparison.ts";
import { METHOD_NAMES } from "../../train/compare/methods.ts";
import { encodeWidths } from "../../export/widths_file.ts";
import { summaries } from "../report/compare_table.ts";
import { keptFiles, withKept, writeReport } from "../report_page/write_report.ts";
import type { ParetoPoint } from "../report/pareto_points.ts";
import { ownPoints, sizesIn } from "./pareto_points_of.ts";
import { runConfig } from "./run_config.ts";
import { EVALUATED, EVENTS_FILE, EVENTS_FOLDER } from "./replacing.ts";
import { trainedEpochs } from "../../train/resume/saving.ts";
import { writeEvents } from "../tensorboard/event_file.ts";
import type { EpochMetrics } from "../../train/types.ts";
import { paretoPicture, picture } from "./session.ts";
import { unwritable } from "./unwritable.ts";
import { writeWhole } from "./whole_file.ts";

/** All that {@link saveRun} writes into the folder of a run. */
const FILES = [
  "config.json",
  "search.jsonl",
  "metrics.jsonl",
  EVENTS_FILE,
  "widths.json",
  "base.safetensors",
  "small.safetensors",
  "report.json",
  "report.html",
  "summary.json",
  ...EVALUATED,
] as const;

type Content = Uint8Array | string;

function json(value: unknown): string {
  return JSON.stringify(value, null, 2) + "\n";
}

async function write(folder: string, name: string, content: Content): Promise<void> {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  await writeWhole(`${folder}/${name}`, bytes);
}

/**
 * Removes the networks of an earlier comparison from a folder: they do not belong to the one that
 * begins. What else is in their folders stays.
 */
export async function removeRuns(folder: string): Promise<void> {
  for (const { name, isDirectory } of [...Deno.readDirSync(folder)]) {
    const [, of, seed] = name.match(/^(.+)-(\d+)$/) ?? [];
    if (!isDirectory || seed === undefined || !METHOD_NAMES.includes(of)) continue;
    for (const file of FILES) await Deno.remove(`${folder}/${name}/${file}`).catch(() => {});
    await Deno.remove(`${folder}/${name}/${EVENTS_FOLDER}`).catch(() => {});
    // Stays where there is something else in it.
    await Deno.remove(`${folder}/${name}`).catch(() => {});
  }
}

/** Epochs as files have them, a line each; none where there are none. */
function linesOf(name: string, epochs: readonly EpochMetrics[]): [string, string][] {
  return epochs.length ? [[name, epochs.map((row) => JSON.stringify(row) + "\n").join("")]] : [];
}

/**
 * Keeps a run of a comparison in a folder of its own below `folder`, with its epochs and what `export`
 * and `eval` need; with `tensorboard` its events too. Raises a `UsageError` where that cannot be
 * written.
 */
export async function saveRun(
  folder: string,
  run: ComparedRun,
  { note, tensorboard = false }: {
    readonly note: (text: string) => void;
    readonly tensorboard?: boolean;
  },
): Promise<void> {
  const { options, widths } = run;
  const result = await withKept(run.result, { note });
  const { files, summary, history } = result;
  const own = `${folder}/${run.folder}`;
  try {
    Deno.mkdirSync(own, { recursive: true });
  } catch (error) {
    throw unwritable(own, error);
  }
  const all = new Map<string, Content>([
    ["config.json", runConfig(options, { output: own })],
    ...linesOf("search.jsonl", history.filter(({ search }) => search)),
    ...linesOf("metrics.jsonl", trainedEpochs(history)),
    ...widths ? [["widths.json", encodeWidths(widths.file)] as const] : [],
    ...files,
    ...keptFiles(result),
    // The last: where it is, all is.
    ["summary.json", json(summary)],
  ]);
  for (const [name, content] of all) await write(own, name, content);
  if (tensorboard) writeEvents(own, history, note);
  await writeReport(own, { beside: [], note });
}

/** Saves all outcomes so far, with their means over the seeds. */
export async function saveOutcomes(folder: string, comparison: Comparison): Promise<void> {
  await write(folder, "compare.json", json({ ...comparison, summary: summaries(comparison) }));
}

async function drawn(comparison: Comparison): Promise<string> {
  const { drawComparison } = await import("../report/compare_picture.ts");
  return await drawComparison(comparison);
}

/** Saves a comparison and, if they can be drawn, its pictures; gives the names of the files. */
export async function saveComparison(
  folder: string,
  comparison: Comparison,
  { note, draw = drawn, beside = [] }: {
    readonly note: (text: string) => void;
    readonly draw?: typeof drawn;
    /** Networks of other runs. */
    readonly beside?: readonly ParetoPoint[];
  },
): Promise<string[]> {
  await saveOutcomes(folder, comparison);
  const { model, dataset, test } = comparison;
  const own = await ownPoints({ ...comparison, summary: summaries(comparison) }, sizesIn(folder));
  const of = { title: `${model} on ${dataset}`, test, note };
  const pictures = [
    ...await picture("compare.svg", () => draw(comparison), note),
    ...await paretoPicture([...own, ...beside], of),
  ];
  // Those of a comparison before do not belong to this one.
  for (const name of ["compare.svg", "pareto.svg", "report.html"]) {
    await Deno.remove(`${folder}/${name}`).catch(() => {});
  }
  for (const [name, content] of pictures) await write(folder, name, content);
  return ["compare.json", ...pictures.map(([name]) => name)];
}
