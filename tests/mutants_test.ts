// Holds the list of mutants to the source: `deno task mutants`, which tries them, takes minutes.
import { assert, assertEquals, assertThrows } from "@std/assert";
import { fileURLToPath } from "node:url";
import { MUTANTS } from "./mutants/list.ts";
import { type Mutant, optionTest } from "./mutants/mutant.ts";
import { occurrences, Trial } from "./mutants/run.ts";
import { effectName, EFFECTS } from "./option_effects.ts";
import { optionTests } from "./option_files.ts";
import { withFolder } from "./folder.ts";
import { lacks } from "./permissions.ts";

const ignore = lacks("read");

const OPTION_TESTS = new Set(
  EFFECTS.flatMap((effect) =>
    effect.commands.map((command) => `${optionTests(command)} ${effectName(effect, command)}`)
  ),
);

/** Whether a test's source has a test of a name, or makes such names from a template. */
function hasTest(source: string, name: string): boolean {
  const templates = [...source.matchAll(/Deno\.test\(\s*`([^`]*)`/g)].map(([, template]) =>
    new RegExp(`^${template.split(/\$\{[^}]*\}/).map(RegExp.escape).join(".+")}$`)
  );
  return source.includes(name) || templates.some((template) => template.test(name));
}

function read(path: string): Promise<string> {
  return Deno.readTextFile(fileURLToPath(new URL(`../${path}`, import.meta.url)));
}

/** What is wrong with an entry of the list. */
async function problemsOf({ file, find, replace, test }: Mutant): Promise<string[]> {
  const found = await read(file).then((text) => occurrences(text, find), () => 0);
  const tests = await read(test.file).catch(() => "");
  const known = OPTION_TESTS.has(`${test.file} ${test.name}`) || hasTest(tests, test.name);
  return [
    ...found === 1 ? [] : [`${file} has "${find}" ${found} times`],
    ...known ? [] : [`${test.file} has no test ${test.name}`],
    ...find === replace ? ["nothing is changed"] : [],
  ];
}

for (const mutant of MUTANTS) {
  Deno.test(`the mutant "${mutant.name}" can be put into the source, and has a test`, {
    ignore,
  }, async () => assertEquals(await problemsOf(mutant), []));
}

Deno.test("no two mutants have the same name", () => {
  assertEquals(new Set(MUTANTS.map(({ name }) => name)).size, MUTANTS.length);
});

Deno.test("an entry that has rotted is found", { ignore }, async () => {
  const [mutant] = MUTANTS;
  const wrong = { ...mutant, find: "no such text", test: { ...mutant.test, name: "no such test" } };
  assertEquals((await problemsOf(wrong)).length, 2);
  assertEquals((await problemsOf({ ...mutant, file: "train/no_such_file.ts" })).length, 1);
  assertThrows(() => optionTest("train", "no-such-option"), TypeError, "no-such-option");
});

Deno.test(
  "a mutant is noticed, survives, or cannot be tried",
  { ignore: lacks("read", "write", "run", "env") },
  () =>
    withFolder(async (dir) => {
      await Deno.mkdir(`${dir}/tests`);
      await Deno.writeTextFile(`${dir}/deno.json`, '{ "permissions": { "test": {} } }');
      await Deno.writeTextFile(`${dir}/tests/preload.ts`, "");
      await Deno.writeTextFile(`${dir}/sum.ts`, "export const two = 1 + 1, one = 1, three = 3;");
      await Deno.writeTextFile(
        `${dir}/tests/sum_test.ts`,
        'import { one, two } from "../sum.ts";\n' +
          'Deno.test("two is two", () => { if (two !== 2) throw new Error(); });\n' +
          'Deno.test("one is two", () => { if (one !== 2) throw new Error(); });\n',
      );
      const trial = new Trial(dir);
      const fate = (find: string, name = "two is two") => {
        const test = { file: "tests/sum_test.ts", name };
        return trial.run({ name: "", file: "sum.ts", find, replace: "4", test });
      };
      assertEquals(await fate("1 + 1"), "noticed");
      assertEquals(await fate("3"), "survived");
      assertEquals(await fate("1"), "not applied");
      assertEquals(await fate("5"), "not applied");
      assertEquals(await fate("1 + 1", "no such test"), "no test");
      assertEquals(await fate("1 + 1", "one is two"), "test fails without it");
      assert((await Deno.readTextFile(`${dir}/sum.ts`)).includes("1 + 1"));
    }),
);
