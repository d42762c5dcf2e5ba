import { DataError } from "../../data/error.ts";
import { isRecord, parseJson, wrongKey } from "../../data/json.ts";
import { printableJson } from "../../data/printable.ts";
import { type SavedChoices, tileChoices } from "../../kernels/conv/choices.ts";
import { convolutionPresets } from "../../kernels/conv/convolution_preset.ts";
import type { Device } from "../../kernels/gpu/device.ts";
import { Scope } from "../../kernels/program/scope.ts";
import { tune, type Tuned, type TuneOptions } from "../../kernels/conv/tuning.ts";
import type { ChooseTiles } from "../../train/job.ts";
import { readText } from "./read_file.ts";
import { writeWhole } from "./whole_file.ts";

const NAME = "tiles.json";

/** Whether something is allowed. */
export async function granted(descriptor: Deno.PermissionDescriptor): Promise<boolean> {
  return (await Deno.permissions.query(descriptor)).state === "granted";
}

/**
 * Where choices are kept from run to run: `$XDG_CACHE_HOME/adjoin`, or `~/.cache/adjoin`.
 * `undefined` where neither variable is set, or may not be read.
 */
export async function cacheFolder(): Promise<string | undefined> {
  const variable = async (name: string): Promise<string | undefined> =>
    await granted({ name: "env", variable: name }) ? Deno.env.get(name) || undefined : undefined;
  const cache = await variable("XDG_CACHE_HOME");
  if (cache) return `${cache}/adjoin`;
  const home = await variable("HOME");
  return home && `${home}/.cache/adjoin`;
}

function isChoices(value: unknown): value is Readonly<Record<string, string>> {
  return isRecord(value) && Object.values(value).every((name) => typeof name === "string");
}

/**
 * The choices in the text of a cache: those of adapters that have the right form. Raises a
 * {@link DataError} for a text that is no JSON, or no object.
 */
export function parseTiles(text: string): SavedChoices {
  let found: unknown;
  try {
    found = parseJson(text);
  } catch (cause) {
    const why = wrongKey(cause) ?? "a text that is not JSON";
    throw new DataError(`Cannot read tiles: wanted JSON, found ${why}`, { cause });
  }
  if (!isRecord(found)) {
    throw new DataError(
      `Cannot read tiles: wanted an object of adapters, found ${printableJson(found)}`,
    );
  }
  return Object.fromEntries(
    Object.entries(found).flatMap(([adapter, choices]) =>
      isChoices(choices) ? [[adapter, choices] as const] : []
    ),
  );
}

/** The choices of the cache; nothing where there is none, or none that can be read. */
async function readChoices(folder: string): Promise<SavedChoices> {
  const path = `${folder}/${NAME}`;
  if (!await granted({ name: "read", path })) return {};
  try {
    return parseTiles(await readText(path));
  } catch {
    // It is tuned once more.
    return {};
  }
}

/** Loads the choices for the adapter, and returns how many. A cache that is broken counts as empty. */
export async function loadTiles(gpu: Device, folder?: string): Promise<number> {
  folder ??= await cacheFolder();
  if (!convolutionPresets.of(gpu).tiles || !folder) return 0;
  return tileChoices.of(gpu).load(gpu.adapter, await readChoices(folder));
}

/** Saves the choices for the adapter beside those for others. Does nothing where it cannot write. */
export async function saveTiles(gpu: Device, folder?: string): Promise<void> {
  folder ??= await cacheFolder();
  if (
    !convolutionPresets.of(gpu).tiles || !folder || !await granted({ name: "write", path: folder })
  ) {
    return;
  }
  // Of two runs that save at once one may tune again: the last stays, what is broken counts as empty.
  const others = await readChoices(folder);
  const all: SavedChoices = { ...others, ...tileChoices.of(gpu).save(gpu.adapter) };
  try {
    await Deno.mkdir(folder, { recursive: true });
    const bytes = new TextEncoder().encode(JSON.stringify(all, null, 2) + "\n");
    await writeWhole(`${folder}/${NAME}`, bytes);
  } catch {
    // The next run tunes once more.
  }
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
