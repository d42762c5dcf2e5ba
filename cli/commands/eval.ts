import { UsageError } from "../../train/errors.ts";
import { readArguments, readTyped } from "../arguments.ts";
import type { EvaluateReport, Seen } from "../evaluate.ts";
import { EXIT } from "../exit.ts";
import { print, printError } from "../print.ts";
import { recognizedDataset } from "../run/recognized.ts";
import { imagesOfRun, isFolder, openCheckpoint, savedNetworks } from "../run/run_images.ts";
import { showingWork } from "../run/working.ts";
import { useWebgpu } from "../webgpu/use_webgpu.ts";

/** Options that name other images than those of the run. */
const IMAGES = ["dataset", "dataDir", "seed", "valSize"];

/** Measures saved networks on validation images. */
export async function run(args: readonly string[]): Promise<number> {
  const { typed, positionals: [path] } = readTyped("eval", args);
  const checkpoint = path === undefined ? undefined : await openCheckpoint(path);
  const ofRun = path === undefined ? {} : await imagesOfRun(path, typed, checkpoint?.state);
  const found = await recognizedDataset({ ...ofRun, ...typed });
  const { values } = readArguments("eval", args, { ...ofRun, ...found });
  await useWebgpu(values.webgpu);
  const { evaluate, evaluateTable, evaluateText } = await import("../evaluate.ts");
  const { output } = values;
  const isRun = checkpoint !== undefined || isFolder(path);
  // All that the run has, on the images that it was validated on.
  const isOfRun = isFolder(path) && output === undefined && Object.keys(ofRun).length > 0 &&
    IMAGES.every((name) => typed[name] === undefined);
  const folder = output ?? (isFolder(path) ? path : undefined);
  const { makeEvaluationFolder, writeEvaluation } = await import("../run/evaluation_files.ts");
  if (output !== undefined) makeEvaluationFolder(output);
  const reports: EvaluateReport[] = [];
  const all: Seen[] = [];
  const networks = checkpoint?.networks.map((network) => ({ file: path, network })) ??
    savedNetworks(path).map(({ file }) => ({ file }));
  for (const network of networks) {
    const options = { ...values, ...network };
    reports.push(
      await showingWork(
        printError,
        values,
        (reporter) =>
          evaluate(options, reporter, async (seen) => {
            if (folder === undefined) return;
            const { which } = seen.report;
            // The only small network of a run is the one that is meant.
            const isMeant = networks.length === 1 || which === "small";
            const prefix = isMeant ? "" : `${which}-`;
            try {
              await writeEvaluation(seen, { folder, prefix });
            } catch (error) {
              if (output !== undefined || !(error instanceof UsageError)) throw error;
              reporter.note(`${error.message}; the evaluation goes on without`);
            }
            all.push(seen);
            if (!isOfRun || all.length < networks.length) return;
            const { refreshReport } = await import("../report_page/refresh_report.ts");
            await refreshReport(folder, all, { note: (text) => reporter.note(text) });
          }),
      ),
    );
  }
  if (values.json) {
    const byName = Object.fromEntries(reports.map((report) => [report.which, report]));
    print(JSON.stringify(isRun ? byName : reports[0], null, 2) + "\n");
  } else print(isRun ? evaluateTable(path, reports, values) : evaluateText(reports[0], values));
  return EXIT.ok;
}
