import { resolve } from "node:path";

/** Options whose paths are meant from where they were typed. */
const PATHS = ["dataDir", "teacher", "init"] as const;

/** Options with whole paths, whatever folder they are read from next time. */
export function resolvedConfig<Options extends object>(options: Options): Options {
  const found = Object.entries(options).flatMap(([name, value]) =>
    PATHS.some((path) => path === name) && typeof value === "string" ? [[name, resolve(value)]] : []
  );
  return { ...options, ...Object.fromEntries(found) };
}

/** The text of config.json: the options of a run, with the folder that it took. */
export function runConfig(
  options: { readonly dataDir?: unknown },
  { output }: { readonly output: string },
): string {
  const resolved = resolvedConfig(options);
  return JSON.stringify({ ...resolved, dataDir: resolved.dataDir ?? null, output }, null, 2) + "\n";
}
