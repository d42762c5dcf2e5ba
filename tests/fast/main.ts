// Runs the test files that take little time, and says which are left out: `deno task test:fast`.
import { fileURLToPath } from "node:url";
import { REASONS, SLOW } from "./slow.ts";

const TESTS = fileURLToPath(new URL("../", import.meta.url));

/** The names of all test files, sorted. */
export function testFiles(): string[] {
  return [...Deno.readDirSync(TESTS)].map(({ name }) => name)
    .filter((name) => name.endsWith("_test.ts")).sort();
}

/** What is left out, a line for each reason. */
function leftOut(): string {
  const lines = Object.entries(REASONS).map(([reason, words]) => {
    const files = Object.keys(SLOW).filter((name) => SLOW[name] === reason);
    return `  ${words}: ${files.map((name) => name.replace("_test.ts", "")).join(", ")}`;
  });
  return `left out of the fast tests (deno task test runs all):\n${lines.join("\n")}\n`;
}

async function main(): Promise<number> {
  const started = performance.now();
  const files = testFiles().filter((name) => !Object.hasOwn(SLOW, name));
  const { code } = await new Deno.Command("deno", {
    args: [
      ...["test", "-P=test", "--preload=tests/preload.ts", "--parallel", "--no-check"],
      ...files.map((name) => `tests/${name}`),
    ],
    cwd: fileURLToPath(new URL("../../", import.meta.url)),
  }).spawn().status;
  const seconds = Math.round((performance.now() - started) / 1000);
  console.log(`${leftOut()}${files.length} test files in ${seconds} s`);
  return code;
}

if (import.meta.main) Deno.exitCode = await main();
