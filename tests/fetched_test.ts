// What is fetched before a command starts: not the 140 MB that only ONNX needs, nor the 40 MB that
// only pictures in files need.
import { assert, assertEquals } from "@std/assert";
import { walk } from "@std/fs";
import { fileURLToPath } from "node:url";
import { lacks } from "./permissions.ts";

const root = fileURLToPath(new URL("../", import.meta.url));

const ROOMS = [
  ...["kernels", "nn", "data", "export", "train", "library", "pictures", "cli", "bench"],
];

for (const name of ["onnxruntime-web", "sharp"]) {
  Deno.test(`no import by a literal names ${name}`, { ignore: lacks("read") }, async () => {
    const found: string[] = [];
    let named = 0;
    for (const folder of ROOMS) {
      const options = { exts: [".ts"], includeDirs: false, skip: [/bench\/peers/] };
      for await (const { path } of walk(`${root}${folder}`, options)) {
        const source = await Deno.readTextFile(path);
        const pattern = new RegExp(`^(?:import|export)[^;"=]*"${name}[/"][^;]*;`, "gm");
        const imports = source.match(pattern) ?? [];
        named += source.includes(`"${name}`) ? 1 : 0;
        found.push(...imports.filter((line) => !line.startsWith("import type ")));
        found.push(...source.match(new RegExp(`\\bimport\\(\\s*["'\`]${name}`, "g")) ?? []);
        found.push(
          ...source.match(/^import [^;(]*_package\.js|\bimport\(\s*["'`][^"'`]*_package\.js/gm) ??
            [],
        );
      }
    }
    assert(named > 0);
    assertEquals(found, []);
  });
}

Deno.test(
  "packages are fetched when they are first needed",
  { ignore: lacks("read") },
  async () => {
    const { unstable } = JSON.parse(await Deno.readTextFile(`${root}deno.json`));
    assertEquals(unstable, ["npm-lazy-caching"]);
    assert(!/^deno install/m.test(await Deno.readTextFile(`${root}setup.sh`)));
  },
);
