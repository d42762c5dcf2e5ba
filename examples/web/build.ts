/**
 * A web page of one's own that says what pictures show, by a network of a run.
 *
 *     deno run --allow-read --allow-write --allow-run=deno examples/web/build.ts runs/photos site
 *
 * The folder of the run has small.safetensors, and after `deno task export runs/photos` small.onnx as
 * well; one of them is enough. This printed:
 *
 *     site has index.html, style.css, main.js, ort.wasm, small.onnx, small.safetensors
 *     serve it, as with python3 -m http.server --directory site
 *
 * @module
 */
import { fileURLToPath } from "node:url";

const [run, site] = Deno.args;
if (site === undefined) {
  throw new Error("Cannot build a page: wanted the folder of a run and another");
}

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
await Deno.mkdir(site, { recursive: true });
const { success } = await new Deno.Command("deno", {
  args: ["bundle", "--quiet", "--platform", "browser", "--minify", "-o", `${site}/main.js`]
    .concat("--config", here("deno.json"), here("main.ts")),
}).output();
if (!success) throw new Error("Cannot build a page: deno bundle has failed");

// onnxruntime-web reads its WebAssembly when it opens a network.
const runtime = new URL(
  "ort-wasm-simd-threaded.asyncify.wasm",
  import.meta.resolve("onnxruntime-web/webgpu"),
);
await Deno.copyFile(runtime, `${site}/ort.wasm`);
for (const name of ["index.html", "style.css"]) await Deno.copyFile(here(name), `${site}/${name}`);

const networks: string[] = [];
for (const name of ["small.onnx", "small.safetensors"]) {
  await Deno.copyFile(`${run}/${name}`, `${site}/${name}`).then(
    () => networks.push(name),
    (error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    },
  );
}
if (!networks.length) throw new Error(`Cannot build a page: ${run} has no small.safetensors`);
console.log("%s has index.html, style.css, main.js, ort.wasm, %s", site, networks.join(", "));
console.log("serve it, as with python3 -m http.server --directory %s", site);
