// Puts faults into a copy of the source, one at a time, and demands that a test fails for each.
import { fileURLToPath } from "node:url";
import { parseArgs } from "@std/cli/parse-args";
import { MUTANTS } from "./list.ts";
import type { Mutant } from "./mutant.ts";
import { copyCheckout, type Fate, Trial } from "./run.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** Tries mutants in a copy of the checkout; gives how each fared. */
async function tryAll(mutants: readonly Mutant[]): Promise<Map<Mutant, Fate>> {
  // The one folder that this may write to, which the copy is without.
  await Deno.mkdir(`${ROOT}runs`, { recursive: true });
  const folder = await Deno.makeTempDir({ dir: `${ROOT}runs`, prefix: "mutants-" });
  const fates = new Map<Mutant, Fate>();
  try {
    await copyCheckout(ROOT, folder);
    const trial = new Trial(folder);
    for (const [i, mutant] of mutants.entries()) {
      const started = Date.now();
      const fate = await trial.run(mutant).catch((error) => {
        console.error(error.message);
        return "survived" as const;
      });
      fates.set(mutant, fate);
      const seconds = ((Date.now() - started) / 1000).toFixed(1);
      console.log(`${i + 1}/${mutants.length}  ${fate}  ${mutant.name}  (${seconds} s)`);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  return fates;
}

function listed(mutants: readonly Mutant[]): string {
  return mutants.map(({ name, file, test }) => `${name}: ${file}; ${test.file}: ${test.name}`)
    .join("\n");
}

async function main(args: readonly string[]): Promise<number> {
  const { only = "", list, _: stray, ...others } = parseArgs([...args], {
    boolean: ["list"],
    string: ["only"],
  });
  const mutants = MUTANTS.filter(({ name }) => name.includes(only));
  if (stray.length || Object.keys(others).length || mutants.length === 0) {
    console.error("usage: deno task mutants [--list] [--only TEXT]; --list shows all names");
    return 2;
  }
  if (list) {
    console.log(listed(mutants));
    return 0;
  }
  const fates = await tryAll(mutants);
  const survivors = mutants.filter((mutant) => fates.get(mutant) !== "noticed");
  if (survivors.length) {
    console.log("\nnot noticed:");
    for (const mutant of survivors) {
      console.log(`${mutant.name}: ${fates.get(mutant)}; ${mutant.test.file}: ${mutant.test.name}`);
    }
  }
  console.log(`\n${mutants.length - survivors.length} of ${mutants.length} noticed`);
  return survivors.length ? 1 : 0;
}

if (import.meta.main) Deno.exitCode = await main(Deno.args);
