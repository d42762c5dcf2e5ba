// Runs the examples as the comments at their heads say, and compares what they print with what these
// say that they print.
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { fileURLToPath } from "node:url";
import { parseOnnxInfo } from "../export/onnx.ts";
import { blocks, withoutNumbers } from "./example_heads.ts";
import { withFolder } from "./folder.ts";
import { lacks } from "./permissions.ts";

const ignore = lacks("read", "write", "run", "env");
const root = fileURLToPath(new URL("../", import.meta.url));

/** What else has to hold of what an example prints, and of the files that it writes. */
const EXAMPLES: Readonly<Record<string, (printed: string, folder: string) => void>> = {
  "own_network.ts": (printed, folder) => {
    const last = printed.match(/epoch 6: base ([\d.]+) %/)?.[1];
    assert(Number(last) > 40, printed);
    const { which, top1 = 0 } = parseOnnxInfo(Deno.readFileSync(`${folder}/small.onnx`), "file");
    assertEquals(which, "small");
    assert(printed.includes(`small ${(100 * top1).toFixed(1)} %`), `${top1}`);
  },
  "own_cost.ts": (printed) => {
    assertAlmostEquals(Number(printed.match(/([\d.]+) of the energy/)?.[1]), 0.5, 0.011);
  },
};

for (const [name, check] of Object.entries(EXAMPLES)) {
  Deno.test(
    `examples/${name} prints what it says that it prints`,
    { ignore },
    () =>
      withFolder(async (folder) => {
        const text = await Deno.readTextFile(`${root}/examples/${name}`);
        const [command, printed] = blocks(text.slice(0, text.indexOf("*/")));
        const [deno, run, ...args] = command.split(" ");
        assertEquals([deno, run, args.pop()], ["deno", "run", `examples/${name}`]);
        const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
          args: ["run", "--no-prompt", ...args, `${root}/examples/${name}`],
          cwd: folder,
          env: { NO_COLOR: "1" },
        }).output();
        assertEquals(code, 0, new TextDecoder().decode(stderr));
        const found = new TextDecoder().decode(stdout);
        assertEquals(withoutNumbers(found), withoutNumbers(printed));
        check(found, folder);
      }),
  );
}
