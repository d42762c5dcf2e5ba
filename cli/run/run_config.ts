import { resolve } from "node:path";

/**
 * The text of config.json: the options of a run, with the folder that it took, and that of its
 * images whatever folder they are asked for from next time.
 */
export function runConfig(
  options: { readonly dataDir?: unknown },
  { output }: { readonly output: string },
): string {
  const dataDir = typeof options.dataDir === "string" ? resolve(options.dataDir) : null;
  return JSON.stringify({ ...options, dataDir, output }, null, 2) + "\n";
}
