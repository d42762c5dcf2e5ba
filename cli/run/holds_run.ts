import { parseJson } from "../../data/json.ts";
import { LONGEST_TEXT } from "./read_file.ts";
import { CHECKPOINTS } from "./checkpoint_names.ts";
import { present, REPLACING, UNFINISHED } from "./replacing.ts";
import { isTemporary } from "./whole_file.ts";

/** Whether a config.json is that of a run: it names what was trained, and on what. */
function isConfig(path: string): boolean {
  try {
    const { isFile, size } = Deno.statSync(path);
    if (!isFile || size > LONGEST_TEXT) return false;
    const found = parseJson(Deno.readTextFileSync(path));
    return typeof found === "object" && found !== null && "model" in found && "dataset" in found &&
      "seed" in found;
  } catch {
    return false;
  }
}

/**
 * The name of a file or folder in a folder without a run; nothing where the folder holds a run, also
 * one that has not ended, or only what a run leaves on its way.
 */
export function holdsRun(folder: string): string | undefined {
  const places = ["", `/${UNFINISHED}`, `/${REPLACING}`];
  if (places.some((place) => isConfig(`${folder}${place}/config.json`))) return undefined;
  const own = present(folder, [UNFINISHED, REPLACING, CHECKPOINTS]);
  return [...Deno.readDirSync(folder)].map(({ name }) => name).toSorted()
    .find((name) => !own.includes(name) && !isTemporary(name));
}
