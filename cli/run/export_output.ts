import { basename, dirname, join } from "node:path";
import { UsageError } from "../../train/errors.ts";
import { realPath } from "./output_folder.ts";
import { RUN_FILES, runFilesIn, statOf } from "./replacing.ts";
import { checkpointsIn } from "./run_checkpoints.ts";
import { isFolder, type SavedNetwork } from "./run_images.ts";
import { unwritable } from "./unwritable.ts";
import { tryWriting } from "./whole_file.ts";

/** What `export` writes. */
export type Format = "onnx" | "safetensors";

function refused(output: string, why: string, cure = "choose another --output"): UsageError {
  return new UsageError(`Cannot write ${output}: ${why}; ${cure}`);
}

/** Raises a {@link UsageError} for a name that is that of another format. */
function checkName(output: string, format: Format): void {
  const other = format === "onnx" ? "safetensors" : "onnx";
  if (!output.toLowerCase().endsWith(`.${other}`)) return;
  const why = `wanted a name for --format ${format}, found one that ends in .${other}`;
  throw refused(output, why, `choose another --output or pass --format ${other}`);
}

/**
 * The file to write: `name` in a folder, which is one that is there or a path that ends in a slash,
 * else the path itself.
 */
export function outputFile(path: string, name: string): string {
  if (!isFolder(path) && !path.endsWith("/")) return path;
  return `${path.replace(/(?<=.)\/+$/, "")}/${name}`;
}

/**
 * Where an exported network goes unless told, and the files of the run that are never written over.
 * What comes out of a checkpoint lies beside it and begins with its name: `last.small.onnx`.
 */
export function outputPlace(
  { file, folder }: SavedNetwork,
  { isCheckpoint }: { readonly isCheckpoint: boolean },
): { readonly folder: string; readonly prefix: string; readonly keeps: readonly string[] } {
  const filesOf = (run: string): string[] =>
    [...RUN_FILES, ...isFolder(run) ? runFilesIn(run) : []].map((name) => `${run}/${name}`);
  if (!isCheckpoint) return { folder, prefix: "", keeps: [file, ...filesOf(folder)] };
  const run = join(folder, "..");
  const checkpoints = checkpointsIn(folder).map((name) => `${folder}/${name}`);
  const prefix = `${basename(file).replace(/\.safetensors$/, "")}.`;
  return { folder, prefix, keeps: [file, ...checkpoints, ...filesOf(run), ...filesOf(folder)] };
}

/**
 * Raises a {@link UsageError} for a file that cannot be written without loss: one of those that the
 * run keeps, under any name, or one that is there already, unless `overwrite`.
 */
export async function checkOutput(
  output: string,
  { format, overwrite, keeps }: { format: Format; overwrite: boolean; keeps: readonly string[] },
): Promise<void> {
  checkName(output, format);
  const there = statOf(output);
  if (!there) return;
  if (isFolder(output)) throw refused(output, "a folder is in its place");
  const real = await realPath(output);
  const kept = await Promise.all(keeps.map(realPath));
  if (real !== undefined && kept.includes(real)) throw refused(output, "it is a file of the run");
  if (overwrite) return;
  const why = real === undefined ? "it is a link that leads nowhere" : "it is there already";
  throw refused(output, why, "choose another --output or pass --overwrite");
}

/** Makes the folder of a file where it is not there, and makes sure of writing to it. */
export async function makeFolderOf(output: string): Promise<void> {
  const folder = dirname(output);
  try {
    await Deno.mkdir(folder, { recursive: true });
    tryWriting(folder);
  } catch (error) {
    throw unwritable(output, error);
  }
}
