// Holds the source to its plan: who may import whom, where ops are listed, how files are named.
import { assert, assertEquals } from "@std/assert";
import { walk } from "@std/fs";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { lacks } from "./permissions.ts";

/** From path, as in `kernels/relu.ts`, to source. */
type Sources = ReadonlyMap<string, string>;

/** The folders that a folder may import; those that are not listed may import everything. */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  kernels: ["kernels"],
  data: ["data"],
  nn: ["nn", "kernels"],
  train: ["train", "nn", "kernels", "data"],
  "mod.ts": ["train", "nn", "kernels", "data"],
  std: ["std"],
};

const LIBRARY = ["kernels", "nn", "train", "data"];

const STATIC = /^[ \t]*(?:import|export)\s(?:[^"'`;]*?\sfrom\s*)?["']([^"']+)["']/gm;
const DYNAMIC = /^(?![ \t]*(?:\*|\/\/)).*\bimport\(\s*["'`]([^"'`]+)["'`]/gm;

/** The modules that a source imports or re-exports, as paths where they are of the project. */
function importsOf(path: string, source: string): string[] {
  return [STATIC, DYNAMIC].flatMap((pattern) =>
    [...source.matchAll(pattern)].map(([, module]) =>
      module.startsWith(".") ? new URL(module, `file:///${path}`).pathname.slice(1) : module
    )
  );
}

/** The top folder of a path, or its name where there is none. */
function folderOf(path: string): string {
  return path.split("/")[0];
}

/** Imports against the arrows. Other packages' modules are nobody's business here. */
function wrongImports(sources: Sources): string[] {
  const folders = new Set([...sources.keys()].map(folderOf));
  return [...sources].flatMap(([path, source]) =>
    importsOf(path, source)
      .filter((module) => folders.has(folderOf(module)))
      .filter((module) => ARROWS[folderOf(path)]?.includes(folderOf(module)) === false)
      .map((module) => `${path} imports ${module}`)
  );
}

/** What the package's users load runs in browsers: no other package, nothing of Node's or Deno's. */
function notForBrowsers(sources: Sources): string[] {
  const reached = new Set(["mod.ts"]);
  const problems: string[] = [];
  // A set may grow while it is walked.
  for (const path of reached) {
    const source = sources.get(path) ?? "";
    for (const module of importsOf(path, source)) {
      if (sources.has(module)) reached.add(module);
      else problems.push(`${path} imports ${module}`);
    }
    if (/^(?!\s*(?:\*|\/[/*])).*\bDeno\./m.test(source)) problems.push(`${path} uses Deno`);
  }
  return problems;
}

/** Ops that `kernels/mod.ts` does not list. */
function unlistedOps(sources: Sources): string[] {
  const lists = sources.get("kernels/mod.ts")?.match(/=\s*\[[^\]]*\]/g) ?? [];
  return [...sources].flatMap(([path, source]) => {
    if (folderOf(path) !== "kernels" || path === "kernels/mod.ts") return [];
    return [...source.matchAll(/^export const (\w+)\s*:\s*Op\b/gm)]
      .filter(([, op]) => !lists.some((names) => new RegExp(`\\b${op}\\b`).test(names)))
      .map(([, op]) => `kernels/mod.ts does not list ${op} of ${path}`);
  });
}

function tooLong(sources: Sources): string[] {
  return [...sources]
    .map(([path, source]) => [path, source.trimEnd().split("\n").length] as const)
    .filter(([path, lines]) => LIBRARY.includes(folderOf(path)) && lines > 400)
    .map(([path, lines]) => `${path} has ${lines} lines, more than 400`);
}

function wrongNames(sources: Sources): string[] {
  return [...sources.keys()]
    .filter((path) => !path.split("/").every((part) => /^[a-z0-9_]+(\.ts)?$/.test(part)))
    .map((path) => `${path} is not in snake_case`);
}

async function readSources(): Promise<Sources> {
  const root = fileURLToPath(new URL("../", import.meta.url));
  const sources = new Map<string, string>();
  const skip = [/[\\/](\.[^\\/]+|node_modules|runs|coverage)$/];
  for await (const { path } of walk(root, { exts: [".ts"], includeDirs: false, skip })) {
    const name = relative(root, path).replaceAll("\\", "/");
    sources.set(name, await Deno.readTextFile(path));
  }
  return sources;
}

const ignore = lacks("read");
const sources: Sources = ignore ? new Map() : await readSources();

Deno.test("the sources are found", { ignore }, () => {
  assert(sources.has("mod.ts"));
  for (const folder of LIBRARY) assert([...sources.keys()].some((p) => folderOf(p) === folder));
});

Deno.test("imports follow the arrows", { ignore }, () => assertEquals(wrongImports(sources), []));

Deno.test("what mod.ts reaches runs in browsers", { ignore }, () => {
  assertEquals(notForBrowsers(sources), []);
});

Deno.test(
  "mod.ts names what its signatures take, and nothing of the command line",
  { ignore },
  () => {
    const names = new Set(sources.get("mod.ts")?.replace(/\/\*[^]*?\*\//g, "").match(/\w+/g));
    for (const name of ["Teacher", "Feed", "DivergedError", "VerificationError", "TrainOptions"]) {
      assert(names.has(name), name);
    }
    const command = ["EXIT", "exitCode", "UsageError", "Progress", "EpochMetrics", "Reporter"];
    for (const name of [...command, "Summary", "NetworkSummary"]) assert(!names.has(name), name);
  },
);

Deno.test("kernels/mod.ts lists every op", { ignore }, () => {
  assertEquals(unlistedOps(sources), []);
});

Deno.test("files of the library have at most 400 lines", { ignore }, () => {
  assertEquals(tooLong(sources), []);
});

Deno.test("file names are in snake_case", { ignore }, () => assertEquals(wrongNames(sources), []));

Deno.test("a wrong import is found in each of its forms, and none in comments", () => {
  const nn = { "nn/net.ts": "" };
  const found = (path: string, source: string) =>
    wrongImports(new Map(Object.entries({ ...nn, "mod.ts": "", "data/a.ts": "", [path]: source })));
  const wrong = ["kernels/relu.ts imports nn/net.ts"];
  for (
    const source of [
      'import { net } from "../nn/net.ts";',
      'import {\n  type Net,\n  net,\n} from "../nn/net.ts";',
      'const a = 1;\nexport * from "../nn/net.ts";',
      'import "../nn/net.ts";',
      'import type { Net } from "../nn/net.ts";',
      '  const { net } = await import("../nn/net.ts");',
    ]
  ) assertEquals(found("kernels/relu.ts", source), wrong, source);
  assertEquals(
    found("kernels/relu.ts", '/**\n * import "../nn/net.ts";\n */\n// import("../nn/net.ts")'),
    [],
  );
  assertEquals(found("kernels/relu.ts", 'import type {} from "@webgpu/types";'), []);
  assertEquals(found("nn/net.ts", 'import "../data/a.ts";'), ["nn/net.ts imports data/a.ts"]);
  assertEquals(found("train/step.ts", 'import "../mod.ts";'), ["train/step.ts imports mod.ts"]);
  assertEquals(found("train/step.ts", 'import "../nn/net.ts";\nimport "../data/a.ts";'), []);
  assertEquals(found("tests/a_test.ts", 'import "../mod.ts";'), []);
});

Deno.test("the other checks find what they are for", () => {
  const made = new Map([
    ["mod.ts", 'export * from "./train/step.ts";'],
    ["train/step.ts", 'import { parseArgs } from "@std/cli";\nimport { Gpu } from "./gpu.ts";'],
    ["train/gpu.ts", "// as Deno.exit() says\n/** Deno.exit() */\nDeno.exit();"],
    ["train/cli.ts", 'import { readFile } from "node:fs";\nDeno.exit();'],
    [
      "kernels/mod.ts",
      'import { add } from "./add.ts";\nexport const ops: readonly Op[] = [\n  relu,\n];',
    ],
    ["kernels/relu.ts", "export const relu: Op = {};"],
    ["kernels/add.ts", "export const add: Op<AddAttributes> = {};"],
    ["nn/BatchNorm.ts", "//\n".repeat(401)],
  ]);
  assertEquals(notForBrowsers(made), ["train/step.ts imports @std/cli", "train/gpu.ts uses Deno"]);
  assertEquals(notForBrowsers(new Map([["mod.ts", "// Deno.exit()\n/** Deno.exit() */"]])), []);
  assertEquals(unlistedOps(made), ["kernels/mod.ts does not list add of kernels/add.ts"]);
  assertEquals(tooLong(made), ["nn/BatchNorm.ts has 401 lines, more than 400"]);
  assertEquals(wrongNames(made), ["nn/BatchNorm.ts is not in snake_case"]);
});
