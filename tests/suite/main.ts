// Runs all test files, or those that are named, with arguments of `deno test`: `deno task test`.
import { runTests, testFiles } from "./files.ts";

/** Whether files are named among arguments of `deno test`. */
const named = Deno.args.some((arg) => /(^tests|\.ts)$/.test(arg));

Deno.exitCode = await runTests(named ? [] : testFiles(), Deno.args);
