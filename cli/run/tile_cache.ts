import { type SavedChoices, tileChoices } from "../../kernels/conv/choices.ts";
import { convolutionPresets } from "../../kernels/conv/convolution_preset.ts";
import type { Device } from "../../kernels/gpu/device.ts";
import { Scope } from "../../kernels/program/scope.ts";
import { tune, type Tuned, type TuneOptions } from "../../kernels/conv/tuning.ts";
import type { ChooseTiles } from "../../train/job.ts";
import { cacheFolder, KeptJson } from "./kept_json.ts";

const TILES = new KeptJson({
  ...{ name: "tiles.json", what: "tiles", owners: "adapters" },
  fits: (name): name is string => typeof name === "string",
});

/**
 * The choices in the text of a cache: those of adapters that have the right form. Raises a
 * {@link DataError} for a text that is no JSON, or no object.
 */
export function parseTiles(text: string): SavedChoices {
  return TILES.parse(text);
}

/** Loads the choices for the adapter, and returns how many. A cache that is broken counts as empty. */
export async function loadTiles(gpu: Device, folder?: string): Promise<number> {
  folder ??= await cacheFolder();
  if (!convolutionPresets.of(gpu).tiles || !folder) return 0;
  return tileChoices.of(gpu).load(gpu.adapter, await TILES.read(folder));
}

/** Saves the choices for the adapter beside those for others. Does nothing where it cannot write. */
export async function saveTiles(gpu: Device, folder?: string): Promise<void> {
  folder ??= await cacheFolder();
  if (!convolutionPresets.of(gpu).tiles || !folder) return;
  const own = tileChoices.of(gpu).save(gpu.adapter);
  await TILES.save(folder, (others) => ({ ...others, ...own }));
}

/**
 * Makes sure that all convolutions which `rehearse` traces have a tuned tile: out of the cache, or
 * timed now and saved there, in `folder` or {@link cacheFolder}. `rehearse` traces into a scope that
 * is thrown away. Times nothing where the preset has no tiles, nor on a software adapter, where that
 * would take minutes and the estimate will do.
 */
export async function tuneTiles(
  gpu: Device,
  rehearse: (scope: Scope) => Promise<unknown>,
  { folder, begin, ...options }: TuneOptions & {
    readonly folder?: string;
    /** Called before anything is timed, with the number of convolutions and gradients. */
    readonly begin?: (works: number) => void;
  } = {},
): Promise<Tuned[]> {
  if (!convolutionPresets.of(gpu).tiles) return [];
  await loadTiles(gpu, folder);
  if (gpu.device.adapterInfo.isFallbackAdapter) return [];
  {
    using scope = new Scope(gpu);
    await rehearse(scope);
  }
  const { open } = tileChoices.of(gpu);
  if (open.length) begin?.(open.length);
  const tuned = await tune(gpu, open, options);
  if (tuned.length) await saveTiles(gpu, folder);
  return tuned;
}

/** Chooses the tiles of a run as {@link tuneTiles} does. */
export const chooseTiles: ChooseTiles = async (gpu, rehearse, progress) => {
  let [done, all] = [0, 0];
  await tuneTiles(gpu, rehearse, {
    begin: (works) => progress(done, all = works),
    report: () => progress(++done, all),
  });
};
