import { timeLayers } from "../../export/layer_timer.ts";
import { RUNTIME } from "../../export/onnx_session.ts";
import { layersKey, type LayerTable, type TimedLayers } from "../../nn/compress/layer_works.ts";
import type { Reporter } from "../../train/types.ts";
import { processorTime } from "../processor_time.ts";
import { cacheFolder, type Kept, KeptJson } from "./kept_json.ts";

/** The name of times of this runtime: others are of no use. */
const OF_RUNTIME = `onnxruntime-web ${RUNTIME}`;

const TIMES = new KeptJson({
  ...{ name: "latencies.json", what: "latencies", owners: "runtimes" },
  fits: (time): time is number => typeof time === "number" && time >= 0,
});

/**
 * The times in the text of a cache: those of runtimes that have the right form. Raises a
 * {@link DataError} for a text that is no JSON, or no object.
 */
export function parseLatencies(text: string): Kept<number> {
  return TIMES.parse(text);
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
  const saved = folder === undefined ? {} : await TIMES.read(folder);
  const wanted = new Set(layers.map(layersKey));
  const known = new Map(
    Object.entries(saved[OF_RUNTIME] ?? {}).filter(([key]) => wanted.has(key)),
  );
  const found = await timeLayers(layers, {
    known,
    now: processorTime,
    done: (done, total) => reporter.work({ what: "timing layers", done, total, unit: "layers" }),
  });
  if (found.size && folder !== undefined) {
    const fresh = Object.fromEntries(found);
    await TIMES.save(folder, (others) => ({
      ...others,
      [OF_RUNTIME]: { ...others[OF_RUNTIME], ...fresh },
    }));
  }
  return new Map([...known, ...found]);
}
