// Runs the examples as the comments at their heads say, and compares what they print with what these
// say that they print.
import { assertAlmostEquals, assertEquals } from "@std/assert";
import { fileURLToPath } from "node:url";
import { blocks, withoutNumbers } from "./example_heads.ts";
import { lacks } from "./permissions.ts";

const ignore = lacks("read", "run", "env");
const root = fileURLToPath(new URL("../", import.meta.url));

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
