// What is left of the runs of a comparison that goes on.
import { DataError } from "../../data/error.ts";
import { isRecord, parseJson } from "../../data/json.ts";
import { printable, printableJson } from "../../data/printable.ts";
import { parseCheckpoint } from "../../export/checkpoint.ts";
import type { EarlierRuns, EndedRun, Outcome } from "../../train/compare/comparison.ts";
import { rowsOf } from "../../train/compare/methods.ts";
import type { NetworkSummary } from "../../train/types.ts";
import type { ByNetwork } from "../../nn/which.ts";
import type { FoundRun } from "./found_run.ts";
import { readFile, readText } from "./read_file.ts";

type Json = Readonly<Record<string, unknown>>;

function areNumbers(value: Json, names: readonly string[]): boolean {
  return names.every((name) => Number.isFinite(value[name]));
}

/** Whether something is an outcome of compare.json. */
export function isOutcome(value: unknown): value is Outcome {
  return isRecord(value) &&
    rowsOf().some(({ method, which }) => method === value.method && which === value.which) &&
    areNumbers(value, ["seed", "top1", "params", "macs", "latency"]) &&
    typeof value.file === "string";
}

/** The outcomes in compare.json. Raises a {@link DataError} for those of another layout. */
function outcomesIn(found: Json, folder: string): Outcome[] {
  if (!Array.isArray(found.outcomes)) return [];
  const other: unknown = found.outcomes.find((outcome) =>
    isRecord(outcome) && typeof outcome.method === "string" && outcome.which === undefined
  );
  if (isRecord(other)) {
    throw new DataError(
      `Cannot go on with ${printable(folder, 300)}: wanted results by method and network in ` +
        `compare.json, found one of ${printableJson(other.method)}, as another release wrote ` +
        `them; compare anew with another --output`,
    );
  }
  return found.outcomes.filter(isOutcome);
}

function isSummary(value: unknown): value is NetworkSummary {
  return isRecord(value) && areNumbers(value, ["top1", "params", "macs"]);
}

async function readJson(file: string): Promise<Json> {
  const found = parseJson(await readText(file));
  return isRecord(found) ? found : {};
}

/** The networks of a run, and what they do; nothing of a run that has not ended, or is not whole. */
async function readRun(folder: string): Promise<EndedRun | undefined> {
  try {
    const found = await readJson(`${folder}/summary.json`);
    const summary: ByNetwork<NetworkSummary> = {};
    const files = new Map<string, Uint8Array>();
    for (const which of ["base", "small"] as const) {
      const own = found[which];
      if (!isSummary(own)) continue;
      const name = `${which}.safetensors`;
      const bytes = await readFile(`${folder}/${name}`);
      parseCheckpoint(bytes, name);
      summary[which] = own;
      files.set(name, bytes);
    }
    return files.size ? { summary, files } : undefined;
  } catch { /* It is trained again. */ }
}

/** What there is in the folder of a comparison of runs that have ended. */
export async function earlierRuns(
  { path, state }: Pick<FoundRun, "path" | "state">,
): Promise<EarlierRuns> {
  const found: Json = await readJson(`${path}/compare.json`).catch(() => ({}));
  const outcomes = outcomesIn(found, path);
  const seconds = typeof found.seconds === "number" ? found.seconds : 0;
  return {
    outcomes,
    seconds: seconds + state.seconds,
    read: (folder) => readRun(`${path}/${folder}`),
  };
}
