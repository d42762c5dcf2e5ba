// Options of the commands that have no file of their own, and what holds for those of all.
import { assert, assertEquals } from "@std/assert";
import { type Command, COMMANDS } from "../cli/flags/commands.ts";
import { flagOf, optionsOf } from "../cli/flags/table.ts";
import { BASES, EFFECTS } from "./option_effects.ts";
import { optionTests, OTHERS, OWN_FILES } from "./option_files.ts";
import { done, testOptions } from "./option_tests.ts";
import { lacks } from "./permissions.ts";

const ignore = lacks("read", "write", "env");

testOptions(OTHERS);

Deno.test("each option of each command has an effect here, and each effect an option", () => {
  const options = (Object.keys(COMMANDS) as Command[]).flatMap((command) =>
    optionsOf(command).map(({ name }) => `${command} ${flagOf(name)}`)
  ).filter((option) => !/ --(help|version)$/.test(option));
  const effects = EFFECTS.flatMap(({ commands, option }) =>
    commands.map((command) => `${command} --${option}`)
  );
  assertEquals([...new Set(effects)].sort(), [...new Set(options)].sort());
});

Deno.test("the same command line does the same twice", { ignore }, async () => {
  for (const command of ["train", "search", "bench step"] as const) {
    const [first, second] = [await done(BASES[command]), await done(BASES[command])];
    assertEquals(first.printed, second.printed);
    for (const [place, digest] of first.places) {
      // They name the folder, which is another each time, or the digest of one that does.
      if (!/^file run\/(config\.json$|report\.(html|json)$|checkpoints\/)/.test(place)) {
        assertEquals(second.places.get(place), digest, place);
      }
    }
  }
});

Deno.test(
  "options that are tested in files of their own are tested there",
  { ignore },
  async () => {
    for (const command of OWN_FILES) {
      const source = await Deno.readTextFile(
        new URL(`../${optionTests(command)}`, import.meta.url),
      );
      assert(source.includes(`testOptions(["${command}"])`), command);
    }
  },
);
