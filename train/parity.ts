import { DataError } from "../data/error.ts";
import { parseSafetensors } from "../data/safetensors.ts";
import { Gpu } from "../kernels/gpu.ts";
import { checkAdjoined, type Finding } from "./parity_network.ts";
import { OP_CHECKS } from "./parity_ops.ts";
import { checkPretrained } from "./parity_pretrained.ts";
import { checkSearch } from "./parity_search.ts";

/** Checks of whole networks, by how the names of their files begin. */
const NETWORK_CHECKS = {
  adjoined_: checkAdjoined,
  search_: checkSearch,
  torchvision_: checkPretrained,
} as const;

/** What is allowed of an op: relative L2 distance from float64. */
const OP_ALLOWED = 1e-4;

async function files(dir: string): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const { name } of Deno.readDir(dir)) {
      if (name.endsWith(".safetensors")) names.push(name);
    }
  } catch {
    throw new DataError(`Cannot check parity: wanted a folder of reference files, found no ${dir}`);
  }
  if (!names.length) {
    throw new DataError(`Cannot check parity: ${dir} has no .safetensors file`);
  }
  return names.sort();
}

/** The findings on one file, or `undefined` when there is no check for it. */
async function check(gpu: Gpu, path: string, name: string): Promise<Finding[] | undefined> {
  const network = Object.entries(NETWORK_CHECKS).find(([prefix]) => name.startsWith(prefix))?.[1];
  const kind = Object.keys(OP_CHECKS).filter((op) => name.startsWith(op))
    .sort((a, b) => b.length - a.length)[0];
  if (!kind && !network) return undefined;
  const file = parseSafetensors(await Deno.readFile(path), name);
  if (!kind) return await network?.(gpu, file);
  return [{ what: kind, error: await OP_CHECKS[kind](gpu, file), allowed: OP_ALLOWED }];
}

/**
 * Checks every safetensors file of a folder against float64 references made by PyTorch, and prints
 * one line per file. Gives whether all hold.
 */
export async function parity(dir: string, print: (line: string) => void): Promise<boolean> {
  const names = await files(dir);
  const gpu = await Gpu.open();
  let failed = 0;
  let unknown = 0;
  try {
    for (const name of names) {
      const findings = await check(gpu, `${dir}/${name}`, name).catch((error: Error) => error);
      if (findings === undefined) {
        unknown++;
        print(`not yet  ${name}`);
      } else if (findings instanceof Error) {
        failed++;
        print(`FAILED   ${name}  ${findings.message}`);
      } else {
        const holds = findings.every(({ error, allowed }) => error <= allowed);
        if (!holds) failed++;
        const largest = Math.max(...findings.map(({ error }) => error));
        const parts = findings.map(({ what, error }) => `${what} ${error.toExponential(1)}`);
        const details = findings.length > 1 ? `  (${parts.join(", ")})` : "";
        print(`${holds ? "ok      " : "FAILED  "} ${name}  ${largest.toExponential(1)}${details}`);
      }
    }
    print(`${names.length - failed - unknown} hold, ${failed} fail, ${unknown} not checked`);
  } finally {
    gpu.destroy();
  }
  return failed === 0;
}
