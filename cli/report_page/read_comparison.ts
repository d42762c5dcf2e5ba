import { isRecord } from "../../data/json.ts";
import type { Outcome } from "../../train/compare/comparison.ts";
import { METHOD_NAMES, rowsOf } from "../../train/compare/methods.ts";
import { isOutcome } from "../run/earlier_runs.ts";
import { statOf } from "../run/replacing.ts";
import { historyIn } from "./run_files.ts";
import type { ComparedFolder, ComparisonReport, ReportedComparison } from "./report_data.ts";

type Fields = Readonly<Record<string, unknown>>;

function textIn(fields: Fields, name: string): string {
  const value = fields[name];
  return typeof value === "string" ? value : "";
}

function numberIn(fields: Fields, name: string): number {
  const value = fields[name];
  return typeof value === "number" ? value : NaN;
}

function fieldsIn(fields: Fields, name: string): Fields {
  const value = fields[name];
  return isRecord(value) ? value : {};
}

/** What a comparison has come to so far; its methods are those of its options until there is more. */
function comparisonIn(compared: Fields, config: Fields): ReportedComparison {
  const all: Fields = { ...config, ...compared };
  const { methods, outcomes } = all;
  const { budgeted, budget } = fieldsIn(compared, "search");
  return {
    model: textIn(all, "model"),
    dataset: textIn(all, "dataset"),
    epochs: numberIn(all, "epochs"),
    methods: Array.isArray(methods) ? methods.map(String) : METHOD_NAMES,
    ...typeof budget === "number" && (budgeted === "macs" || budgeted === "params")
      ? { budget, budgeted }
      : {},
    adapter: textIn(all, "adapter"),
    runtime: textIn(all, "runtime"),
    test: all.test === true,
    seconds: numberIn(all, "seconds"),
    outcomes: Array.isArray(outcomes) ? outcomes.filter(isOutcome) : [],
  };
}

/** The folders of runs that outcomes are of. */
async function foldersOf(
  folder: string,
  outcomes: readonly Outcome[],
): Promise<ComparedFolder[]> {
  const names = [...new Set(outcomes.map(({ file }) => file.split("/")[0]))];
  return await Promise.all(
    names.filter((name) => statOf(`${folder}/${name}`)?.isDirectory).map(async (name) => ({
      name,
      report: statOf(`${folder}/${name}/report.html`)?.isFile === true,
      history: await historyIn(`${folder}/${name}`),
    })),
  );
}

/** All that the folder of a comparison says of it. */
export async function readComparison(
  folder: string,
  { compared = {}, config }: { readonly compared?: Fields; readonly config: Fields },
): Promise<Pick<ComparisonReport, "kind" | "comparison" | "runs"> & { readonly ended: boolean }> {
  const comparison = comparisonIn(compared, config);
  const { outcomes, methods } = comparison;
  const { seeds } = config;
  const wanted = rowsOf(methods).length * (typeof seeds === "number" ? seeds : 1);
  return {
    kind: "comparison",
    comparison,
    runs: await foldersOf(folder, outcomes),
    ended: outcomes.length >= wanted,
  };
}
