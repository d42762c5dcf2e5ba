import { DataError } from "../../data/error.ts";
import { isRecord, parseJson, wrongKey } from "../../data/json.ts";
import { printableJson } from "../../data/printable.ts";
import { timeLayers } from "../../export/layer_timer.ts";
import { RUNTIME } from "../../export/onnx_session.ts";
import { layersKey, type LayerTable, type TimedLayers } from "../../nn/compress/layer_works.ts";
import type { Reporter } from "../../train/types.ts";
import { processorTime } from "../processor_time.ts";
import { readText } from "./read_file.ts";
import { cacheFolder, granted } from "./tile_cache.ts";
import { writeWhole } from "./whole_file.ts";

const NAME = "latencies.json";

/** The name of times of this runtime: others are of no use. */
const OF_RUNTIME = `onnxruntime-web ${RUNTIME}`;

/** Times of layers by runtime. */
type SavedTimes = Readonly<Record<string, Readonly<Record<string, number>>>>;

function isTimes(value: unknown): value is Readonly<Record<string, number>> {
  return isRecord(value) &&
    Object.values(value).every((time) => typeof time === "number" && time >= 0);
}

/**
 * The times in the text of a cache: those of runtimes that have the right form. Raises a
 * {@link DataError} for a text that is no JSON, or no object.
 */
export function parseLatencies(text: string): SavedTimes {
  let found: unknown;
  try {
    found = parseJson(text);
  } catch (cause) {
    const why = wrongKey(cause) ?? "a text that is not JSON";
    throw new DataError(`Cannot read latencies: wanted JSON, found ${why}`, { cause });
  }
  if (!isRecord(found)) {
    throw new DataError(
      `Cannot read latencies: wanted an object of runtimes, found ${printableJson(found)}`,
    );
  }
  return Object.fromEntries(
    Object.entries(found).flatMap(([runtime, times]) =>
      isTimes(times) ? [[runtime, times] as const] : []
    ),
  );
}

/** What a folder keeps; nothing where it keeps nothing that can be read. */
async function readTimes(folder: string): Promise<SavedTimes> {
  const path = `${folder}/${NAME}`;
  if (!await granted({ name: "read", path })) return {};
  try {
    return parseLatencies(await readText(path));
  } catch {
    // They are timed once more.
    return {};
  }
}

/** Keeps times beside those of others; does nothing where it cannot. */
async function saveTimes(folder: string, found: LayerTable): Promise<void> {
  if (!await granted({ name: "write", path: folder })) return;
  const others = await readTimes(folder);
  const own = { ...others[OF_RUNTIME], ...Object.fromEntries(found) };
  const bytes = new TextEncoder().encode(
    JSON.stringify({ ...others, [OF_RUNTIME]: own }, null, 2) + "\n",
  );
  try {
    await Deno.mkdir(folder, { recursive: true });
    await writeWhole(`${folder}/${NAME}`, bytes);
  } catch {
    // The next run times once more.
  }
}

/**
 * The times of layers in onnxruntime-web, out of the cache that tiles are in as well, or measured now
 * and kept there: a search that goes on finds those that it began with.
 */
export async function layerTable(
  layers: readonly TimedLayers[],
  reporter: Pick<Reporter, "work">,
  folder?: string,
): Promise<LayerTable> {
  folder ??= await cacheFolder();
  const saved = folder === undefined ? {} : await readTimes(folder);
  const wanted = new Set(layers.map(layersKey));
  const known = new Map(
    Object.entries(saved[OF_RUNTIME] ?? {}).filter(([key]) => wanted.has(key)),
  );
  const found = await timeLayers(layers, {
    known,
    now: processorTime,
    done: (done, total) => reporter.work({ what: "timing layers", done, total, unit: "layers" }),
  });
  if (found.size && folder !== undefined) await saveTimes(folder, found);
  return new Map([...known, ...found]);
}
