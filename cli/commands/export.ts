import { printable } from "../../data/printable.ts";
import { listed } from "../../data/words.ts";
import { VerificationError } from "../../train/errors.ts";
import { readArguments } from "../arguments.ts";
import type { CompactPrecision } from "../compact_score.ts";
import { EXIT } from "../exit.ts";
import type { ExportReport } from "../export.ts";
import type { CompactOptions, CompactReport } from "../export_compact.ts";
import { unusable } from "../option_value.ts";
import { print, printError, printJson } from "../print.ts";
import { isFolder, smallNetworksOf } from "../run/run_images.ts";
import { showingWork } from "../run/working.ts";
import { useWebgpu } from "../webgpu/use_webgpu.ts";
import { whichOf } from "./which_of.ts";

/** Raises a `UsageError` for an output of several networks that is no folder. */
function demandFolder(output: string, networks: readonly string[]): void {
  if (isFolder(output) || output.endsWith("/")) return;
  throw unusable(
    `--output is a folder for several networks, found ${printable(output, 300)} for ` +
      `${listed(networks)}; pass --which`,
  );
}

/** Exports a network; gives what it came to, in words. */
async function exported(
  precision: CompactPrecision | undefined,
  options: CompactOptions & { readonly quiet: boolean },
): Promise<{ readonly report: ExportReport | CompactReport; readonly text: string }> {
  if (precision === undefined) {
    const { exportNetwork, exportText } = await import("../export.ts");
    const report = await showingWork(
      printError,
      options,
      (reporter) => exportNetwork(options, reporter),
    );
    return { report, text: exportText(report) };
  }
  const { compactText, exportCompact } = await import("../export_compact.ts");
  const report = await showingWork(
    printError,
    options,
    (reporter) => exportCompact(precision, options, reporter),
  );
  return { report, text: compactText(report) };
}

/** The names of the files that an export has written, a line each. */
function fileNames({ output, page }: ExportReport | CompactReport): string {
  return [output, ...page === undefined ? [] : [page]].map((name) => `${name}\n`).join("");
}

/** Writes networks of a run as ONNX or for PyTorch. */
export async function run(args: readonly string[]): Promise<number> {
  const { values, positionals: [run] } = readArguments("export", args);
  await useWebgpu(values.webgpu);
  const precision = values.int8 ? "int8" : values.fp16 ? "fp16" : undefined;
  const which = whichOf(values);
  const small = which === undefined ? await smallNetworksOf(run) : [];
  const several = small.length > 1 ? small : undefined;
  if (several && values.output !== undefined) demandFolder(values.output, several);
  const refused: VerificationError[] = [];
  const reports: (ExportReport | CompactReport)[] = [];
  for (const one of several ?? [which]) {
    try {
      const { report, text } = await exported(precision, { run, ...values, which: one });
      if (values.json) reports.push(report);
      else print(values.quiet ? fileNames(report) : text);
    } catch (error) {
      // Of several networks, one that loses too much keeps no other from being written.
      if (!several || !(error instanceof VerificationError)) throw error;
      refused.push(error);
    }
  }
  if (values.json) printJson(reports);
  const last = refused.pop();
  for (const { message } of refused) printError(`adjoin: ${message}\n`);
  if (last) throw last;
  return EXIT.ok;
}
