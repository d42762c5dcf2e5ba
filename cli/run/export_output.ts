import { dirname } from "node:path";
import { UsageError } from "../../train/errors.ts";
import { realPath } from "./output_folder.ts";
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
 * Raises a {@link UsageError} for a file that cannot be written without loss: one of those that the
 * run keeps, under any name, or one that is there already, unless `overwrite`.
 */
export async function checkOutput(
  output: string,
  { format, overwrite, keeps }: { format: Format; overwrite: boolean; keeps: readonly string[] },
): Promise<void> {
  checkName(output, format);
  const info = await Deno.stat(output).catch(() => undefined);
  if (!info) return;
  if (info.isDirectory) throw refused(output, "a folder is in its place");
  const kept = await Promise.all(keeps.map(realPath));
  if (kept.includes(await Deno.realPath(output))) throw refused(output, "it is a file of the run");
  if (overwrite) return;
  throw refused(output, "it is there already", "choose another --output or pass --overwrite");
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
