import { assertEquals, assertMatch } from "@std/assert";
import { fileURLToPath } from "node:url";
import { withFolder } from "./folder.ts";
import { lacks } from "./permissions.ts";
import { taskNames, taskOf } from "./tasks.ts";

const ignore = lacks("read", "write", "run", "env");
const root = fileURLToPath(new URL("../", import.meta.url));

/** What `train --widths FILE` says against it. */
async function complaint(
  line: readonly string[],
  { cwd, env = {} }: { cwd: string; env?: Record<string, string> },
): Promise<string> {
  const { stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...line],
    cwd,
    env: { NO_COLOR: "1", ...env },
  }).output();
  return new TextDecoder().decode(stderr);
}

Deno.test("a task takes paths from the folder that it is typed in", { ignore }, async () => {
  // The configuration is JSON, but none of widths.
  const line = ["task", "train", "--widths", "../deno.json"];
  const inTests = await complaint(line, { cwd: `${root}/tests` });
  assertMatch(inTests, /Cannot read widths from \.\.\/deno\.json: (?!.*found no file)/);
  // What takes no paths is not granted any.
  for (const words of taskNames()) {
    const { line } = taskOf(words);
    if (!line.includes("cli/main.ts") || !line.includes("--allow-read ")) continue;
    assertMatch(line, /--allow-env=\S*\bINIT_CWD\b/, words.join(" "));
  }
});

Deno.test(
  "a process that is not a task takes paths from its own folder",
  { ignore },
  () =>
    withFolder(async (dir) => {
      await Deno.writeTextFile(`${dir}/widths.json`, "{");
      const line = ["run", "--no-prompt", "-A", `${root}/cli/main.ts`, "train"];
      const found = await complaint([...line, "--widths", "widths.json"], {
        cwd: dir,
        env: { INIT_CWD: root },
      });
      assertEquals(
        found,
        "adjoin: Cannot read widths from widths.json: wanted JSON; search writes such files\n",
      );
    }),
);
