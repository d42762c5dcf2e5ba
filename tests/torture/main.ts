// The full numbers of what a run and its files have to stand, part by part: what takes too long for
// the tests, which do a small share of each.
import { parseArgs } from "@std/cli/parse-args";

/** Does a share of a part; is told lines to print. Raises an `Error` where something does not hold. */
type Part = (share: number, print: (line: string) => void) => Promise<void>;

const PARTS: Readonly<Record<string, () => Promise<Part>>> = {
  "killed": async () => (await import("./killed.ts")).killed,
  "full-disks": async () => (await import("./full_disks.ts")).fullDisks,
  "mutated-files": async () => (await import("./mutated_files.ts")).mutatedFiles,
  "resumed-runs": async () => {
    const { resumedRuns } = await import("./resumed_runs.ts");
    return (share, print) => resumedRuns(Math.ceil(20 * share), print);
  },
  "lost-devices": async () => {
    const { lostDevices } = await import("./lost_devices.ts");
    return async (share, print) => {
      const faults = await lostDevices(Math.max(1, Math.round(100 * share)), print);
      if (faults) throw new Error(`${faults} runs came to other networks`);
    };
  },
  "wrong-numbers": async () => (await import("./wrong_numbers.ts")).wrongNumbers,
  "families": async () => (await import("./families.ts")).families,
  "graphs": async () => (await import("./graphs.ts")).graphs,
  "soak": async () => {
    const { FULL, soak } = await import("./soak.ts");
    return (share, print) => soak(FULL * share, print);
  },
};

/** Whether a part holds; one that does not says why. */
async function holds(name: string, share: number): Promise<boolean> {
  const started = performance.now();
  const print = (line: string): void => console.log(`${name}: ${line}`);
  try {
    await (await PARTS[name]())(share, print);
    print(`passed in ${((performance.now() - started) / 1000).toFixed()} s`);
    return true;
  } catch (error) {
    print(`FAILED: ${error instanceof Error ? error.message : error}`);
    return false;
  }
}

async function main(args: readonly string[]): Promise<number> {
  const typed = parseArgs([...args], { string: ["only", "share"] });
  const { only, share: written = "1", _: stray, ...others } = typed;
  const share = Number(written);
  const names = Object.keys(PARTS).filter((name) => only === undefined || name === only);
  if (stray.length || Object.keys(others).length || names.length === 0 || !(share > 0)) {
    console.error(
      `usage: deno task torture [--share 0.1] [--only NAME], of ${Object.keys(PARTS).join(", ")}`,
    );
    return 2;
  }
  let passed = 0;
  for (const name of names) if (await holds(name, share)) passed++;
  const failed = names.length - passed;
  console.log(`${passed} passed, ${failed} failed`);
  return failed ? 1 : 0;
}

Deno.exit(await main(Deno.args));
