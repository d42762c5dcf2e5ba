// The files of --widths: those of one small network, or of several.
import { basename, dirname, resolve } from "node:path";
import { DataError } from "../../data/error.ts";
import { foundInstead } from "../../data/found_instead.ts";
import { printable, printableJson } from "../../data/printable.ts";
import { type GivenWidths, parseWidths } from "../../export/widths_file.ts";
import { isSmallName, type SmallName } from "../../nn/which.ts";
import { UsageError } from "../../train/errors.ts";
import { joinWidths, type RunWidths } from "../../train/small_widths.ts";
import { readFile } from "./read_file.ts";

/** The name of the small network of a widths file: after the file, or its folder where that says no more. */
function nameOfFile(path: string): SmallName {
  const stem = basename(path).replace(/\.json$/, "");
  const named = stem === "widths" ? basename(dirname(resolve(path))) : stem.replace(/-widths$/, "");
  const end = named.replace(/^small-/, "").replaceAll(/[^\w.-]+/g, "-");
  const name = `small-${end}` as const;
  return isSmallName(name) ? name : "small-widths";
}

/** What two files say of the networks has to be the same. */
const COMMON = ["model", "stem", "variant", "trunk", "maskFrom"] as const;

/**
 * Reads the widths of a file, or of several with commas between, each of a small network of its own.
 * Raises a {@link DataError} for a file that cannot be read or has none, and a {@link UsageError} for
 * files of different base networks, or two whose small networks would have one name.
 */
export async function readAllWidths(paths: string): Promise<RunWidths> {
  const isOne = !paths.includes(",") || await Deno.stat(paths).then(() => true, () => false);
  if (isOne) return await readWidths(paths);
  const files = paths.split(",");
  const found = await Promise.all(files.map(readWidths));
  const [first] = found;
  for (const [i, other] of found.entries()) {
    const key = COMMON.find((key) => other[key] !== first[key]);
    if (key === undefined) continue;
    throw new UsageError(
      `Cannot use the widths of ${printable(files[0], 300)} and ${printable(files[i], 300)} at ` +
        `once: wanted one base network, found ${key} ${printableJson(first[key])} and ` +
        `${printableJson(other[key])}`,
    );
  }
  const names = files.map(nameOfFile);
  const twice = names.findIndex((name, i) => names.indexOf(name) !== i);
  if (twice >= 0) {
    throw new UsageError(
      `Cannot name the small networks of --widths after their files: ` +
        `${printable(files[names.indexOf(names[twice])], 300)} and ` +
        `${printable(files[twice], 300)} both make ${names[twice]}; rename one`,
    );
  }
  return { ...first, widths: joinWidths(found.map(({ widths }, i) => [names[i], widths])) };
}

/** Reads the widths of a file. Raises a {@link DataError} when it cannot be read or has none. */
async function readWidths(path: string): Promise<GivenWidths> {
  const bytes = await readFile(path).catch((cause) => {
    throw new DataError(
      `Cannot read widths: wanted the widths.json of a search, found ${foundInstead(path, cause)}`,
      { cause },
    );
  });
  return parseWidths(new TextDecoder().decode(bytes), path);
}
