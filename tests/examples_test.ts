// Runs the examples as the comments at their heads say, and compares what they print with what these
// say that they print.
import { assertAlmostEquals, assertEquals } from "@std/assert";
import { fileURLToPath } from "node:url";
import { lacks } from "./permissions.ts";

const ignore = lacks("read", "run", "env");
const root = fileURLToPath(new URL("../", import.meta.url));

/** The blocks of a comment that are indented by four spaces, as Markdown has code. */
function blocks(comment: string): string[] {
  const lines = comment.split("\n").map((line) => line.replace(/^ \* ?/, ""));
  const found = lines.map((line) => line.startsWith("    ") ? line.slice(4) : "").join("\n");
  return found.split(/\n\n+/).map((block) => block.trim()).filter((block) => block !== "");
}

/** Text in which all numbers are one. */
function withoutNumbers(text: string): string {
  return text.trim().replace(/\d[\d,.]*\d|\d/g, "0");
}

/** What else has to hold of what an example prints. */
const EXAMPLES: Readonly<Record<string, (printed: string) => void>> = {
  "own_cost.ts": (printed) => {
    assertAlmostEquals(Number(printed.match(/([\d.]+) of the energy/)?.[1]), 0.5, 0.01);
  },
};

for (const [name, check] of Object.entries(EXAMPLES)) {
  Deno.test(`examples/${name} prints what it says that it prints`, { ignore }, async () => {
    const text = await Deno.readTextFile(`${root}/examples/${name}`);
    const [command, printed] = blocks(text.slice(0, text.indexOf("*/")));
    const [deno, ...args] = command.split(" ");
    assertEquals([deno, args.at(-1)], ["deno", `examples/${name}`]);
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [args[0], "--no-prompt", ...args.slice(1)],
      cwd: root,
      env: { NO_COLOR: "1" },
    }).output();
    assertEquals(code, 0, new TextDecoder().decode(stderr));
    const found = new TextDecoder().decode(stdout);
    assertEquals(withoutNumbers(found), withoutNumbers(printed));
    check(found);
  });
}
