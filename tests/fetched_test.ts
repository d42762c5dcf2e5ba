// What is fetched before a command starts: not the 140 MB that only ONNX needs.
import { assert, assertEquals } from "@std/assert";
import { walk } from "@std/fs";
import { fileURLToPath } from "node:url";
import { lacks } from "./permissions.ts";

const root = fileURLToPath(new URL("../", import.meta.url));

Deno.test("no import by a literal names onnxruntime-web", { ignore: lacks("read") }, async () => {
  const found: string[] = [];
  let types = 0;
  for (const folder of ["kernels", "nn", "data", "export", "train", "cli", "bench"]) {
    const options = { exts: [".ts"], includeDirs: false, skip: [/bench\/peers/] };
    for await (const { path } of walk(`${root}${folder}`, options)) {
      const source = await Deno.readTextFile(path);
      const imports = source.match(/^(?:import|export)[^;"=]*"onnxruntime-web[^;]*;/gm) ?? [];
      types += imports.length;
      found.push(...imports.filter((line) => !line.startsWith("import type ")));
      found.push(...source.match(/\bimport\(\s*["'`]onnxruntime-web/g) ?? []);
    }
  }
  assert(types > 0);
  assertEquals(found, []);
  const { unstable } = JSON.parse(await Deno.readTextFile(`${root}deno.json`));
  assertEquals(unstable, ["npm-lazy-caching"]);
  assert(!/^deno install/m.test(await Deno.readTextFile(`${root}setup.sh`)));
});
