// Runs the cells of the notebook one after the other, with a stand-in for Jupyter, on fewer images.
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { fileURLToPath } from "node:url";
import { withFolder } from "./folder.ts";
import { lacks } from "./permissions.ts";

const ignore = lacks("read", "write", "run", "env");
const root = fileURLToPath(new URL("../", import.meta.url));

interface Cell {
  readonly cell_type: "markdown" | "code";
  readonly source: readonly string[];
  readonly outputs?: readonly { readonly data?: Readonly<Record<string, string[]>> }[];
}

async function cells(): Promise<Cell[]> {
  return JSON.parse(await Deno.readTextFile(`${root}/examples/training.ipynb`)).cells;
}

/** What the cells have of Jupyter: what is shown is text, and printed. */
const JUPYTER = `
const text = (parts, ...values) => String.raw({ raw: parts.raw }, ...values);
const shown = (kind, content, options = {}) => console.log(JSON.stringify({ kind, content, ...options }));
const jupyter = {
  svg: (...parts) => ({ kind: "svg", content: text(...parts) }),
  md: (...parts) => shown("md", text(...parts)),
  display: async ({ kind, content }, options) => shown(kind, content, options),
};
export const Deno = { jupyter };`;

interface Shown {
  readonly kind: "svg" | "md";
  readonly content: string;
  readonly display_id?: string;
  readonly update?: boolean;
}

Deno.test(
  "the notebook draws its curves while it trains",
  { ignore },
  () =>
    withFolder(async (dir) => {
      const code = (await cells()).filter((cell) => cell.cell_type === "code")
        .map(({ source }) => source.join("")).join("\n");
      const less = code.replace("train: 1500, validation: 300", "train: 64, validation: 20")
        .replace("epochs = 8", "epochs = 2");
      assertEquals(code.length - less.length, 3);
      await Deno.writeTextFile(`${dir}/jupyter.js`, JUPYTER);
      await Deno.writeTextFile(`${dir}/cells.ts`, `import { Deno } from "./jupyter.js";\n${less}`);
      const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "--no-prompt", "--config", `${root}/deno.json`, `${dir}/cells.ts`],
      }).output();
      assert(success, new TextDecoder().decode(stderr));
      const shown = new TextDecoder().decode(stdout).trim().split("\n")
        .map((line): Shown => JSON.parse(line));
      const [first, ...more] = shown.slice(0, -1);
      assertEquals([first.kind, first.display_id, first.update], ["svg", "curves", undefined]);
      // Two epochs, and at least the first step of each.
      assert(more.length >= 4, `${more.length} pictures`);
      for (const { kind, display_id, update } of more) {
        assertEquals([kind, display_id, update], ["svg", "curves", true]);
      }
      const dots = (svg = ""): number => svg.match(/<circle/g)?.length ?? 0;
      assertEquals([dots(first.content), dots(more.at(-1)?.content)], [0, 4]);
      for (const name of ["base", "small", "cross entropy", "KL"]) {
        assertStringIncludes(more.at(-1)?.content ?? "", `>${name}<`);
      }
      const last = shown.at(-1);
      assertMatch(last?.content ?? "", /\| small \| [\d.]+ % \| 10666 \| 341408 \| \d+ \|/);
      assertStringIncludes(last?.content ?? "", "says the same of 100 % of 20 images");
    }),
);

Deno.test("the notebook is saved with a picture of a whole run", { ignore }, async () => {
  const outputs = (await cells()).flatMap(({ outputs = [] }) => outputs);
  assertEquals(outputs.flatMap(({ data = {} }) => Object.keys(data)), [
    "image/svg+xml",
    "text/markdown",
  ]);
  const svg = outputs[0].data?.["image/svg+xml"].join("") ?? "";
  assertEquals(svg.match(/<circle/g)?.length, 16);
});
