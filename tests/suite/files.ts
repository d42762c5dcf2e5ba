import { fileURLToPath } from "node:url";
import { runsAlone } from "../alone.ts";
import { SLOW } from "./slow.ts";

const TESTS = fileURLToPath(new URL("../", import.meta.url));

/** The names of all test files, sorted. */
export function testFiles(): string[] {
  return [...Deno.readDirSync(TESTS)].map(({ name }) => name)
    .filter((name) => name.endsWith("_test.ts")).sort();
}

/** When a test file starts: 0 for those that take long, 2 for those that run alone. */
function turn(name: string): number {
  return runsAlone(name) ? 2 : Object.hasOwn(SLOW, name) ? 0 : 1;
}

/**
 * The order in which test files keep all cores busy: those that take long first, so that none is left
 * over at the end, and those that run alone last, as each waits for the one beside it to end.
 */
export function inOrder(names: readonly string[]): string[] {
  return names.toSorted((a, b) => turn(a) - turn(b));
}

/** Runs Deno at the top of the project; gives its exit code. */
async function deno(...args: readonly string[]): Promise<number> {
  const cwd = fileURLToPath(new URL("../../", import.meta.url));
  const { code } = await new Deno.Command("deno", { args: [...args], cwd }).spawn().status;
  return code;
}

/** What is fetched when it is first needed. */
const LATE = ["pictures/sharp_package.js", "export/onnxruntime_package.js"];

/** Runs test files, by name, with arguments of `deno test`; gives its exit code. */
export async function runTests(
  names: readonly string[],
  args: readonly string[] = [],
): Promise<number> {
  // Fetched within a test, they would be told of beside what a command says.
  await deno("cache", "--quiet", "--lock=packages.lock", ...LATE);
  return await deno(
    ...["test", "-P=test", "--lock=packages.lock", "--preload=tests/preload.ts"],
    ...["--parallel", "--no-check"],
    ...args,
    ...inOrder(names).map((name) => `tests/${name}`),
  );
}
