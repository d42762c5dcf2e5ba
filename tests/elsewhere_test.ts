// The command line and the library from outside of the checkout.
import { assertEquals } from "@std/assert";
import { fileURLToPath } from "node:url";
import { withFolder } from "./folder.ts";
import { lacks } from "./permissions.ts";

const ignore = lacks("read", "write", "run", "env");
const MAIN = fileURLToPath(new URL("../cli/main.ts", import.meta.url));
const MODULE = new URL("../mod.ts", import.meta.url).href;

/** Runs Deno in a folder, without what a task would have set. */
async function deno(
  cwd: string,
  args: readonly string[],
): Promise<{ code: number; out: string; error: string }> {
  const { XDG_RUNTIME_DIR: _, INIT_CWD: __, ...env } = Deno.env.toObject();
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", ...args],
    cwd,
    clearEnv: true,
    env: { ...env, NO_COLOR: "1" },
  }).output();
  const [out, error] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code, out, error };
}

Deno.test(
  "a command in another project's folder prints nothing but its result",
  { ignore },
  () =>
    withFolder(async (dir) => {
      await Deno.writeTextFile(`${dir}/deno.json`, "{}");
      const args = "bench conv --size 4 --batch 1 --repeats 1 --json".split(" ");
      const { code, out, error } = await deno(dir, ["-A", MAIN, ...args]);
      assertEquals([code, error], [0, ""]);
      JSON.parse(out);
    }),
);

Deno.test(
  "a project that imports the library is not warned of it",
  { ignore },
  () =>
    withFolder(async (dir) => {
      const imports = { adjoin: MODULE };
      await Deno.writeTextFile(`${dir}/deno.json`, JSON.stringify({ imports }));
      const code = 'import { model, count } from "adjoin";\n' +
        'console.log(count(model("resnet8", { classes: 10 }), { height: 8, width: 8 }).macs > 0);\n';
      await Deno.writeTextFile(`${dir}/user.ts`, code);
      assertEquals(await deno(dir, [`${dir}/user.ts`]), { code: 0, out: "true\n", error: "" });
    }),
);
