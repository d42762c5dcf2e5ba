// What is left of the runs of a comparison that goes on.
import { isRecord, parseJson } from "../../data/json.ts";
import { parseCheckpoint } from "../../export/checkpoint.ts";
import {
  type EarlierRuns,
  type EndedRun,
  METHODS,
  type Outcome,
  placeOf,
} from "../../train/compared_runs.ts";
import type { NetworkSummary, Which } from "../../train/types.ts";
import type { FoundRun } from "./found_run.ts";
import { readFile, readText } from "./read_file.ts";

type Json = Readonly<Record<string, unknown>>;

function areNumbers(value: Json, names: readonly string[]): boolean {
  return names.every((name) => Number.isFinite(value[name]));
}

function isOutcome(value: unknown): value is Outcome {
  return isRecord(value) && METHODS.some((method) => method === value.method) &&
    areNumbers(value, ["seed", "top1", "params", "macs", "latency"]) &&
    typeof value.file === "string";
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
    const summary: Partial<Record<Which, NetworkSummary>> = {};
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

/** How many runs of a comparison come before the one that it goes on with. */
export function runsBefore(
  { state }: Pick<FoundRun, "state">,
  seeds: { readonly seed: number; readonly seeds: number },
): number {
  return placeOf(state.phase, seeds) ?? 0;
}

/** What there is in the folder of a comparison of runs that have ended. */
export async function earlierRuns({ path, state }: FoundRun): Promise<EarlierRuns> {
  const found: Json = await readJson(`${path}/compare.json`).catch(() => ({}));
  const outcomes = Array.isArray(found.outcomes) ? found.outcomes.filter(isOutcome) : [];
  const seconds = typeof found.seconds === "number" ? found.seconds : 0;
  return {
    outcomes,
    seconds: seconds + state.seconds,
    read: (folder) => readRun(`${path}/${folder}`),
  };
}
