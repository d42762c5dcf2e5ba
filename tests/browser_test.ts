// Chromium's own WebGPU: another compiler of WGSL (Tint), another software adapter (SwiftShader).
// Where no Chromium is installed there is nothing to test; `.ci/run` installs it.
import { assertAlmostEquals, assertEquals, assertStringIncludes } from "@std/assert";
import { fileURLToPath } from "node:url";
import { inChromium, installedChromium } from "./chromium.ts";
import { withFolder } from "./folder.ts";
import { lacks } from "./permissions.ts";

const chromium = installedChromium() ?? "";
const ignore = !chromium || lacks("read", "write", "run", "net", "env");

Deno.test("all ops equal their float64 references in Chromium", { ignore }, async () => {
  const entry = fileURLToPath(new URL("browser/ops.ts", import.meta.url));
  assertEquals(await inChromium(chromium, entry), []);
});

const LIBRARY = new URL("../docs/library.md", import.meta.url);

/** Collects what is printed, then sends it to the test. */
const LINES = `export const lines = [];
console.log = (...words) => void lines.push(words.map((word) =>
  typeof word === "object" ? JSON.stringify(word) : word
).join(" "));`;
const PAGE = `import { lines } from "./lines.js";
import "./example.ts";
void fetch("/found", { method: "POST", body: JSON.stringify(lines) });`;

/** Cross entropy and KL divergence of an epoch. */
function losses(line: string): number[] {
  const [, ...found] = line.match(/^epoch 1: cross entropy (\S+), KL (\S+)$/) ?? [];
  return found.map(Number);
}

Deno.test(
  "the documents' training of two networks is the same in Chromium",
  { ignore },
  () =>
    withFolder(async (dir) => {
      const blocks = [...(await Deno.readTextFile(LIBRARY)).matchAll(/^```ts\n(.*?)^```/gms)];
      const example = blocks.map(([, code]) => code).find((code) =>
        code.includes("demandEqual(found)")
      );
      const short = example?.replace("epochs: 8", "epochs: 1").replace("train: 512", "train: 128");
      await Deno.writeTextFile(`${dir}/example.ts`, short ?? "");
      await Deno.writeTextFile(`${dir}/lines.js`, LINES);
      await Deno.writeTextFile(`${dir}/page.ts`, PAGE);
      const found = await inChromium(chromium, `${dir}/page.ts`) as string[];
      const { stdout } = await new Deno.Command(Deno.execPath(), {
        args: [
          "run",
          "--config",
          fileURLToPath(new URL("../deno.json", import.meta.url)),
          `${dir}/example.ts`,
        ],
      }).output();
      const wanted = new TextDecoder().decode(stdout).trim().split("\n");
      assertEquals([found.length, found[0]], [4, wanted[0]]);
      const [entropy, kl] = losses(wanted[1]);
      assertAlmostEquals(losses(found[1])[0], entropy, 1e-3);
      assertAlmostEquals(losses(found[1])[1], kl, 1e-3);
      assertStringIncludes(found[3], "288 weights in conv3");
    }),
);
