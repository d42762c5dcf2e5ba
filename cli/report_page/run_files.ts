import { isRecord, parseJson } from "../../data/json.ts";
import { isMetricsRow } from "../../train/resume/state_check.ts";
import type { EpochMetrics } from "../../train/types.ts";
import { readText } from "../run/read_file.ts";
import { type KeptReport, parseKept } from "./kept_report.ts";

/** A file of JSON that is an object; nothing where there is none. */
export async function jsonIn(
  folder: string,
  name: string,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  try {
    const found = parseJson(await readText(`${folder}/${name}`));
    return isRecord(found) ? found : undefined;
  } catch {
    return undefined;
  }
}

/** The report.json of a run; nothing where there is none, or one that cannot be read. */
export async function keptIn(folder: string): Promise<KeptReport | undefined> {
  try {
    return parseKept(await readText(`${folder}/report.json`), `${folder}/report.json`);
  } catch {
    return undefined;
  }
}

/** The epochs in a file; a last line that is not whole yet is left out. */
async function epochsIn(file: string): Promise<EpochMetrics[]> {
  let text: string;
  try {
    text = await readText(file);
  } catch {
    return [];
  }
  return text.split("\n").flatMap((line) => {
    try {
      const row = parseJson(line);
      return isMetricsRow(row) ? [row] : [];
    } catch {
      return [];
    }
  });
}

/** The epochs of the search and of the training of a run. */
export async function historyIn(folder: string): Promise<EpochMetrics[]> {
  const names = ["search.jsonl", "metrics.jsonl"];
  const found = await Promise.all(names.map((name) => epochsIn(`${folder}/${name}`)));
  return found.flat();
}
