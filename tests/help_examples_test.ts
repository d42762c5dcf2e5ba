// Every example of --help does what it says, with tiny sizes behind it.
import { assertEquals, assertStringIncludes } from "@std/assert";
import { cp } from "node:fs/promises";
import { type Command, COMMAND_NAMES, COMMANDS } from "../cli/flags/commands.ts";
import { adjoinCommand } from "./command.ts";
import { withFolder } from "./folder.ts";
import { makeInputs, words } from "./made_inputs.ts";
import { lacks } from "./permissions.ts";
import { observe } from "./recorder.ts";
import { granted, LOCK } from "./tasks.ts";

const ignore = lacks("read", "write", "run", "env", "ffi");

const IMAGES = "--image-size 12 --batch-size 8 --model resnet8";
const TRAINING = `--epochs 1 ${IMAGES} --output {dir}/run`;
const SEARCH = `--search-epochs 2 --mask-from 1 ${IMAGES} --output {dir}/run`;

/** What is typed after an example that begins with these words: the last of a flag counts. */
const BEHIND: readonly (readonly [beginning: string, flags: string])[] = [
  ["train --config", "--epochs 1 --output {dir}/run"],
  ["train --data-dir", TRAINING],
  ["train", `${TRAINING} --train-size 8 --val-size 8`],
  ["search --data-dir photos --budget-params 0.25 --widths-only", SEARCH],
  ["search", `${SEARCH} --epochs 1`],
  ["compare", `${TRAINING} --mask-from 1 --methods alone,adjoined --seeds 1`],
  ["export", "--overwrite"],
  ["eval", "--output {dir}/seen"],
  ["data", "--output {dir}/sheet.png"],
  ["serve", `--port ${20_000 + Math.floor(20_000 * Math.random())}`],
  ["bench conv", "--batch 1 --size 8 --repeats 1"],
  ["bench step", "--model resnet8 --batch 2 --image-size 12 --repeats 1"],
  ["bench data", "--workers 1 --image-sizes 8 --repeats 1"],
  ["bench peers", "--only 512->512"],
];

/** Commands that need a device that computes. */
const COMPUTING: readonly string[] = ["parity"];

/** Commands whose examples are run by a test file of their own. */
const ELSEWHERE: Readonly<Partial<Record<Command, string>>> = { doctor: "doctor_test.ts" };

/** Commands that go on until they are interrupted. */
const LASTING: readonly string[] = ["serve"];

/** Starts a command, and interrupts it as soon as it prints; gives what it printed, and its code. */
async function interrupted(
  typed: readonly string[],
): Promise<{ readonly code: number; readonly printed: string }> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", LOCK, ...granted(typed), "cli/main.ts", ...typed],
    cwd: new URL("../", import.meta.url),
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const first = new TextDecoder();
  let printed = "";
  for await (const bytes of child.stdout) {
    printed += first.decode(bytes);
    if (printed.includes("\n")) break;
  }
  child.kill("SIGINT");
  const errors = await new Response(child.stderr).text();
  const { code } = await child.status;
  return { code, printed: printed + errors };
}

/** An example as it is run: its photographs, pictures and runs are those of the test. */
function tiny(line: string): string {
  const [, behind = ""] = BEHIND.find(([beginning]) => line.startsWith(beginning)) ?? [];
  return `${line} ${behind}`.trim()
    .replaceAll(/(?<= )cat\.jpg/g, "{dir}/photos/val/a/0.png")
    .replaceAll("runs/resnet8-adjoined-generated-0", "runs/photos")
    .replaceAll(/(?<= )(photos|runs\/\w+)/g, "{dir}/$1");
}

Deno.test("every example of --help runs", { ignore }, async (t) => {
  await withFolder(async (made) => {
    await makeInputs(made);
    for (const command of COMMAND_NAMES) {
      if (Object.hasOwn(ELSEWHERE, command)) continue;
      for (const [line] of COMMANDS[command].examples) {
        await t.step(line, () =>
          withFolder(async (dir) => {
            await cp(`${made}/photos`, `${dir}/photos`, { recursive: true });
            // One is broken on purpose; benches take more than there are.
            for (const name of ["val/b/3", "train/a/4"]) {
              await Deno.copyFile(`${dir}/photos/train/a/0.png`, `${dir}/photos/${name}.png`);
            }
            for (const run of ["photos", "other"]) {
              await cp(`${made}/photos-run`, `${dir}/runs/${run}`, { recursive: true });
            }
            const typed = words(tiny(line), { dir, made });
            const { code, printed } = LASTING.includes(command)
              ? await interrupted(typed)
              : COMPUTING.includes(command)
              ? await adjoinCommand(typed).then(({ code, error }) => ({ code, printed: error }))
              : await observe(typed, dir);
            assertEquals(code, 0, printed);
          }));
      }
    }
  });
});

Deno.test("examples that are run elsewhere are run there", { ignore }, async () => {
  for (const command of COMMAND_NAMES) {
    const file = ELSEWHERE[command];
    if (file === undefined) continue;
    const source = await Deno.readTextFile(new URL(file, import.meta.url));
    for (const [line] of COMMANDS[command].examples) {
      const typed = line.split(" ").map((word) => JSON.stringify(word)).join(", ");
      assertStringIncludes(source, `[${typed}]`);
    }
  }
});
