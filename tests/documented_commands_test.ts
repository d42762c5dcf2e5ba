// All commands in the documents are ones that are accepted; those that take no time are run.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { COMMAND_NAMES } from "../cli/flags/commands.ts";
import { flagOf, optionsOf } from "../cli/flags/table.ts";
import { commandsOf, type Parsed, wordsOf, wrongWith } from "./documented_commands.ts";
import { blocks, everything, quoted, read, shellLines } from "./documents.ts";
import { withFolder } from "./folder.ts";
import { lacks } from "./permissions.ts";
import { observe } from "./recorder.ts";
import { taskNames } from "./tasks.ts";

const ignore = lacks("read");
const lines = blocks("sh").flatMap(shellLines);

Deno.test("every command in the documents is one that is accepted", { ignore }, () => {
  assertEquals(lines.map(wrongWith).filter((problem) => problem !== undefined), []);
  assert(lines.length > 10, `${lines.length}`);
});

Deno.test("a command that is not accepted is found", { ignore }, () => {
  for (
    const [line, problem] of [
      ["deno task trian", "no task trian"],
      ["deno task train --epoch 3", "did you mean --epochs?"],
      ["deno task train --epochs few", "--epochs"],
      ["sh setup.sh && deno task train --mode distill", "needs --teacher"],
      ["A=b deno task train --nesterov", "--nesterov goes with --opt sgd"],
      ["deno task train extra", "takes flags only"],
      ["deno task parity", "parity needs DIR"],
      ["deno task test --quiet", "test takes no arguments"],
      ["deno task test tests/no_such_test.ts", "test takes no arguments"],
      ["deno task adjoin trian", "trian is no command"],
      ["adjoin trian", "trian is no command"],
      ["adjoin train --epoch 3", "did you mean --epochs?"],
      ["deno task torture --every hour", "torture takes no arguments"],
      ["deno run examples/none.ts", "not known here"],
      ["npm start", "not known here"],
      ["A=b sh setup.sh", "A=b sh setup.sh is not known here"],
    ]
  ) assertStringIncludes(wrongWith(line) ?? "nothing", problem);
  for (const line of ["deno task adjoin --version", "deno task torture --only mutated-files"]) {
    assertEquals(wrongWith(line), undefined);
  }
});

Deno.test("shell is read as a shell does", () => {
  assertEquals(shellLines("a \\\n  b # c\n\n# d\ne\n"), ["a b", "e"]);
  assertEquals(wordsOf(`a --b="c d" 'e f' g`), ["a", "--b=c d", "e f", "g"]);
});

Deno.test("tasks that the documents name outside of blocks exist", { ignore }, () => {
  const named = quoted(everything).filter((text) => text.startsWith("deno task "));
  assert(named.length > 3);
  const tasks = new Set(taskNames().map((words) => `deno task ${words.join(" ")}`));
  const others = named.filter((line) => !tasks.has(line));
  assertEquals(others.map(wrongWith).filter((problem) => problem !== undefined), []);
});

/** Flags of Deno, and the names that others have for ours. */
const FOREIGN =
  /^--(allow-.*|frozen|lock|directory|img-size|imgsz|learning-rate|wd|optimizer|scheduler|num-classes|logdir)$/;

/** Programs that read flags of their own. */
const PROGRAMS = [
  "bench/card.ts",
  "bench/importance.ts",
  "bench/memory.ts",
  "bench/recipes.ts",
  "tests/torture/main.ts",
];

Deno.test("flags that the documents name outside of blocks exist", { ignore }, () => {
  const known = new Set(
    COMMAND_NAMES.flatMap((command) => optionsOf(command).map(({ name }) => flagOf(name))),
  );
  const named = quoted(everything).flatMap((text) => text.match(/(?<!\S)--[a-z][\w-]*/g) ?? []);
  assert(named.length > 100, `${named.length}`);
  const own = PROGRAMS.map(read).join("\n");
  const setUp = read("setup.sh");
  const unknown = named.filter((flag) =>
    !known.has(flag) && !FOREIGN.test(flag) && !own.includes(`"${flag.slice(2)}"`) &&
    !setUp.includes(`  ${flag})`)
  );
  assertEquals([...new Set(unknown)], []);
});

/** Whether a command reads no file that a document only speaks of, and computes next to nothing. */
function takesNoTime({ command, args }: Parsed): boolean {
  if (args.includes("--help") || command === "wgsl") return true;
  return command === "summary" && !args.some((arg) => /\.onnx$|^--latency$/.test(arg));
}

Deno.test("commands in the documents that take no time run", {
  ignore: ignore || lacks("write", "env"),
}, () =>
  withFolder(async (dir) => {
    const run = lines.flatMap(commandsOf).filter(takesNoTime);
    assert(run.length >= 5, `${run.length}`);
    for (const { command, args } of run) {
      const { code, printed } = await observe([...command.split(" "), ...args], dir);
      assertEquals(code, 0, `${command} ${args.join(" ")}: ${printed}`);
    }
  }));
