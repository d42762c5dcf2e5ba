// Runs the test files that take little time, and says which are left out: `deno task test:fast`.
import { runTests, testFiles } from "./files.ts";
import { REASONS, SLOW } from "./slow.ts";

/** What is left out, a line for each reason. */
function leftOut(): string {
  const lines = Object.entries(REASONS).map(([reason, words]) => {
    const files = Object.keys(SLOW).filter((name) => SLOW[name] === reason);
    return `  ${words}: ${files.map((name) => name.replace("_test.ts", "")).join(", ")}`;
  });
  return `left out of the fast tests (deno task test runs all):\n${lines.join("\n")}\n`;
}

const started = performance.now();
const files = testFiles().filter((name) => !Object.hasOwn(SLOW, name));
Deno.exitCode = await runTests(files);
const seconds = Math.round((performance.now() - started) / 1000);
console.log(`${leftOut()}${files.length} test files in ${seconds} s`);
