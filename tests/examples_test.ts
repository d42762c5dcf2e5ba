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

/** How an example is tested. */
interface Example {
  /** What stands in it, and what it is tested with: fewer images. */
  readonly less: readonly [from: string, to: string];
  /** What else has to hold of what it prints, and of the files that it writes. */
  readonly check: (printed: string, folder: string) => void;
}

const EXAMPLES: Readonly<Record<string, Example>> = {
  "own_network.ts": {
    less: ["train: 1000, validation: 200", "train: 256, validation: 50"],
    check: (printed, folder) => {
      const { which, top1 = 0 } = parseOnnxInfo(Deno.readFileSync(`${folder}/small.onnx`), "file");
      assertEquals(which, "small");
      const last = printed.match(/epoch 6: base [\d.]+ %, small ([\d.]+) %/)?.[1];
      assertEquals(last, (100 * top1).toFixed(1));
    },
  },
  "own_cost.ts": {
    less: ["train: 128", "train: 64"],
    check: (printed) => {
      assertAlmostEquals(Number(printed.match(/([\d.]+) of the energy/)?.[1]), 0.5, 0.011);
    },
  },
};

for (const [name, { less, check }] of Object.entries(EXAMPLES)) {
  Deno.test(
    `examples/${name} prints what it says that it prints`,
    { ignore },
    () =>
      withFolder(async (folder) => {
        const text = await Deno.readTextFile(`${root}/examples/${name}`);
        const [command, printed] = blocks(text.slice(0, text.indexOf("*/")));
        const [deno, run, ...args] = command.split(" ");
        assertEquals([deno, run, args.pop()], ["deno", "run", `examples/${name}`]);
        assert(text.includes(less[0]), less[0]);
        await Deno.writeTextFile(`${folder}/${name}`, text.replace(...less));
        const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
          args: ["run", "--no-prompt", "--config", `${root}/deno.json`, ...args, name],
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
