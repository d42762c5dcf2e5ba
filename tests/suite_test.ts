import { assert, assertEquals } from "@std/assert";
import { ALONE, runsAlone } from "./alone.ts";
import { lacks } from "./permissions.ts";
import { inOrder, testFiles } from "./suite/files.ts";
import { REASONS, SLOW } from "./suite/slow.ts";

const ignore = lacks("read");

Deno.test("each test file that the fast tests leave out is there, for a reason", { ignore }, () => {
  const files = testFiles();
  assertEquals(Object.keys(SLOW).filter((name) => !files.includes(name)), []);
  const used = new Set<string>(Object.values(SLOW));
  assertEquals(Object.keys(REASONS).filter((reason) => !used.has(reason)), []);
  assertEquals(Object.keys(SLOW), Object.keys(SLOW).toSorted());
});

Deno.test("the fast tests hold the options of flags, networks, data and files", { ignore }, () => {
  const fast = testFiles().filter((name) => !Object.hasOwn(SLOW, name));
  for (const name of ["flags", "network_state", "plan", "structure", "safetensors", "unverified"]) {
    assert(fast.includes(`${name}_test.ts`), name);
  }
});

Deno.test(
  "test files that look at clock, memory or environment run alone",
  { ignore },
  async () => {
    const files = testFiles();
    assertEquals(ALONE.filter((name) => !files.includes(name)), []);
    assertEquals(ALONE, ALONE.toSorted());
    const looks = /performance\.now\(|Deno\.memoryUsage\(|Deno\.env\.(set|delete)\(|Deno\.chdir\(/;
    for (const name of files) {
      const source = await Deno.readTextFile(new URL(name, import.meta.url));
      // What another process looks at is its own.
      const own = source.replace(/`[^`]*`/g, "");
      if (looks.test(own)) assert(runsAlone(`file:///tests/${name}`), `${name} belongs in ALONE`);
    }
  },
);

Deno.test(
  "test files that take long start first, and those that run alone last",
  { ignore },
  () => {
    const names = ["adjoin_test.ts", "browser_test.ts", "ops_test.ts", "writer_test.ts"];
    const wanted = ["ops_test.ts", "writer_test.ts", "adjoin_test.ts", "browser_test.ts"];
    assertEquals(inOrder(names), wanted);
    assertEquals(inOrder(testFiles()).toSorted(), testFiles());
  },
);
