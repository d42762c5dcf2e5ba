// Tests of options: each, set to another value than its default, changes what is traced, sent to the
// device, written or printed: on the user's own way, from the command line on.
import { assert, assertEquals } from "@std/assert";
import { cp } from "node:fs/promises";
import type { Command } from "../cli/flags/commands.ts";
import { giveTiles, makeInputs, words } from "./made_inputs.ts";
import { BASES, type Effect, effectName, EFFECTS } from "./option_effects.ts";
import { lacks } from "./permissions.ts";
import { type Observation, observe } from "./recorder.ts";

const ignore = lacks("read", "write", "env");

/** What runs read: two trained networks, widths, and images in files. */
let made = "";

/** Does what a line says, in a folder with a run, a network and a folder that is taken. */
export async function done(line: string): Promise<Observation> {
  const dir = await Deno.makeTempDir();
  try {
    await giveTiles(made, dir);
    await cp(`${made}/idx-run`, `${dir}/idx-run`, { recursive: true });
    await Deno.copyFile(`${made}/idx-run/small.safetensors`, `${dir}/loose.safetensors`);
    await Deno.mkdir(`${dir}/taken`);
    await Deno.writeTextFile(`${dir}/taken/note.onnx`, "mine");
    const config = { model: "resnet8", dataset: "generated", seed: 0 };
    await Deno.writeTextFile(`${dir}/taken/config.json`, JSON.stringify(config));
    return await observe(words(line, { dir, made }), dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

const seen = new Map<string, Promise<Observation>>();

/** As {@link done}, once for each line. */
function doneOnce(line: string): Promise<Observation> {
  let found = seen.get(line);
  if (!found) seen.set(line, found = done(line));
  return found;
}

function at({ printed, places }: Observation, place: string): string | undefined {
  return place === "printed" ? printed : places.get(place);
}

/** Places that are the same with and without an option, which it has to change. */
async function unchanged(effect: Effect, command: Command): Promise<string[]> {
  const { base = BASES[command], beside, without, refused } = effect;
  const line = [base, ...beside ? [beside] : []].join(" ");
  const before = await doneOnce(line);
  const after = await done(`${without ? line.replace(` ${without}`, "") : line} ${effect.with}`);
  assertEquals(before.code === 0, refused !== "without", before.printed);
  assertEquals(after.code === 0, refused !== "with", after.printed);
  return effect.changes.filter((place) => at(before, place) === at(after, place));
}

/** Adds the tests of all options of some commands. */
export function testOptions(commands: readonly Command[]): void {
  Deno.test.beforeAll(async () => {
    if (!ignore) await makeInputs(made = await Deno.makeTempDir());
  });

  Deno.test.afterAll(async () => {
    if (!ignore) await Deno.remove(made, { recursive: true });
  });

  for (const command of commands) {
    for (const effect of EFFECTS.filter((effect) => effect.commands.includes(command))) {
      Deno.test(
        effectName(effect, command),
        { ignore },
        async () => assertEquals(await unchanged(effect, command), []),
      );
    }
    Deno.test(`${command} --help and --version change printed`, { ignore }, async () => {
      const { code, printed } = await done(`${BASES[command]} --help`);
      assertEquals(code, 0);
      assert(printed.includes(`--help`) && printed.includes("exit codes"), printed);
      const version = await done(`${BASES[command]} --version`);
      assertEquals([version.code, version.printed], [0, "adjoin 0.1.0\n"]);
    });
  }
}
