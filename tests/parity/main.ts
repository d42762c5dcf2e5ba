import { basename } from "node:path";
import { DataError } from "../../data/error.ts";
import { foundInstead } from "../../data/found_instead.ts";
import { parseSafetensors, type Safetensors } from "../../data/safetensors.ts";
import { Gpu, GpuError } from "../../kernels/gpu.ts";
import { checkAdjoined, type Finding, hold } from "./network.ts";
import { OP_CHECKS } from "./ops.ts";
import { checkPretrained } from "./pretrained.ts";
import { checkSearch } from "./search.ts";
import { either } from "../../cli/text.ts";

/** Checks of whole networks, by how the names of their files begin. */
const NETWORK_CHECKS = {
  adjoined_: checkAdjoined,
  search_: checkSearch,
  torchvision_: checkPretrained,
} as const;

/** What is allowed of an op: relative L2 distance from float64. */
const OP_ALLOWED = 1e-4;

interface ReferenceFile {
  readonly path: string;
  readonly name: string;
}

/** The reference files of a folder, or the one that is named. */
async function filesAt(path: string): Promise<ReferenceFile[]> {
  const info = await Deno.stat(path).catch(() => undefined);
  if (info?.isFile) return [{ path, name: basename(path) }];
  const names: string[] = [];
  try {
    for await (const { name } of Deno.readDir(path)) {
      if (name.endsWith(".safetensors")) names.push(name);
    }
  } catch (cause) {
    const found = foundInstead(path, cause, "folder");
    throw new DataError(`Cannot check parity: wanted a folder of reference files, found ${found}`, {
      cause,
    });
  }
  if (!names.length) {
    throw new DataError(`Cannot check parity: ${path} has no .safetensors file`);
  }
  return names.sort().map((name) => ({ path: `${path}/${name}`, name }));
}

type Check = (gpu: Gpu, file: Safetensors) => Promise<Finding[]>;

/** How to check files by what their names begin with, or `undefined` for those of no known kind. */
function checkOf(name: string): Check | undefined {
  const kind = Object.keys(OP_CHECKS).filter((op) => name.startsWith(op))
    .sort((a, b) => b.length - a.length)[0];
  if (!kind) {
    return Object.entries(NETWORK_CHECKS).find(([prefix]) => name.startsWith(prefix))?.[1];
  }
  return async (gpu, file) => [
    { what: kind, error: await OP_CHECKS[kind](gpu, file), allowed: OP_ALLOWED },
  ];
}

async function read({ path, name }: ReferenceFile): Promise<Safetensors> {
  const bytes = await Deno.readFile(path).catch((cause) => {
    throw new DataError(`Cannot check ${name}: found ${foundInstead(path, cause)}`, { cause });
  });
  return parseSafetensors(bytes, name);
}

/** One line on the findings of a file. */
function line(name: string, findings: readonly Finding[]): string {
  const largest = Math.max(...findings.map(({ error }) => error));
  const parts = findings.map(({ what, error, moved }) =>
    `${what} ${error.toExponential(1)}` +
    (moved === undefined ? "" : `, rounding alone ${moved.toExponential(1)}`)
  );
  const details = findings.length > 1 ? `  (${parts.join(", ")})` : "";
  return `${hold(findings) ? "ok      " : "FAILED  "} ${name}  ${
    largest.toExponential(1)
  }${details}`;
}

function demandKnown(path: string, files: readonly ReferenceFile[]): void {
  if (files.some(({ name }) => checkOf(name))) return;
  const kinds = [...Object.keys(OP_CHECKS), ...Object.keys(NETWORK_CHECKS)];
  const names = files.map(({ name }) => name);
  throw new DataError(
    `Cannot check parity: wanted files whose names begin with ${either(kinds)}, found none of ` +
      `these kinds in ${path}: ${names.slice(0, 3).join(", ")}${names.length > 3 ? " ..." : ""}`,
  );
}

/**
 * Checks a safetensors file, or every one of a folder, against float64 references made by PyTorch,
 * and prints one line per file; with `quiet` only of those that do not hold. Gives whether all hold. Raises a {@link DataError} where there is
 * no file of a known kind, and after the last file where all hold but some cannot be read.
 */
export async function parity(
  path: string,
  print: (line: string) => void,
  { quiet = false }: { readonly quiet?: boolean } = {},
): Promise<boolean> {
  const files = await filesAt(path);
  demandKnown(path, files);
  const gpu = await Gpu.open();
  const unreadable: DataError[] = [];
  let failed = 0;
  let unknown = 0;
  try {
    for (const file of files) {
      const { name } = file;
      const check = checkOf(name);
      if (!check) {
        unknown++;
        print(`unknown  ${name}  is of no known kind`);
        continue;
      }
      try {
        const findings = await check(gpu, await read(file));
        const held = hold(findings);
        if (!held) failed++;
        if (!held || !quiet) print(line(name, findings));
      } catch (error) {
        if (error instanceof GpuError || !(error instanceof Error)) throw error;
        if (error instanceof DataError) unreadable.push(error);
        else failed++;
        print(`${error instanceof DataError ? "no data " : "FAILED  "} ${name}  ${error.message}`);
      }
    }
  } finally {
    gpu.destroy();
  }
  const held = files.length - failed - unreadable.length - unknown;
  const isWell = held === files.length;
  if (!isWell || !quiet) {
    print(
      `${held} hold, ${failed} fail, ${unreadable.length} cannot be read, ${unknown} not checked`,
    );
  }
  if (failed) return false;
  if (unreadable.length) throw unreadable[0];
  return true;
}
