// Holds the source to its plan: who may import whom, where ops are listed, how files are named.
import { assert, assertEquals } from "@std/assert";
import { walk } from "@std/fs";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import config from "../deno.json" with { type: "json" };
import { lacks } from "./permissions.ts";

/** From path, as in `kernels/ops/relu.ts`, to source. */
type Sources = ReadonlyMap<string, string>;

const KERNELS = ["kernels/gpu/", "kernels/program/", "kernels/wgsl/", "kernels/"];
const CONVOLUTION = [...KERNELS, "kernels/matrix/", "kernels/conv/"];
const OPEN = ["kernels/gpu.ts", "kernels/preset.ts"];
const OPS = [...CONVOLUTION, "kernels/ops/", "kernels/mod.ts", ...OPEN];
/** Parts of messages. */
const MESSAGES = ["data/cure.ts", "data/printable.ts"];
const TEXT = [...MESSAGES, "data/json.ts"];
const NN = ["nn/", "nn/layers/", "nn/families/", "nn/compress/"];
const TRAIN = [...OPS, ...NN, "data/", ...TEXT, "export/", "train/"];
const LIBRARY_ROOMS = [...TRAIN, "library/"];
const EVERYTHING = [...LIBRARY_ROOMS, "pictures/", "cli/", "bench/", "tests"];

/**
 * The rooms, by how the paths in them begin (the longest beginning counts), and the other rooms that
 * each may import.
 */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  // What an error says to do, in words that name options.
  "data/cure.ts": [],
  // Text from files and users, fit for a message.
  "data/printable.ts": [],
  // Text of JSON, from which all rooms read it.
  "data/json.ts": ["data/printable.ts"],
  "kernels/gpu/": ["data/cure.ts"],
  "kernels/program/": ["kernels/gpu/"],
  // What an op is, and how its gradient is recorded: `op.ts`, `gradient.ts`.
  "kernels/": ["kernels/gpu/", "kernels/program/", "kernels/wgsl/"],
  "kernels/wgsl/": ["kernels/gpu/", "kernels/program/"],
  // Matrix units, or loops in their place: four operations, and tiles made of them.
  "kernels/matrix/": ["kernels/gpu/", "kernels/wgsl/"],
  "kernels/conv/": [...KERNELS, "kernels/matrix/"],
  "kernels/ops/": CONVOLUTION,
  // They put the parts together that users open a GPU with; ops know only its device.
  "kernels/preset.ts": ["kernels/gpu/", "kernels/wgsl/", "kernels/conv/"],
  "kernels/gpu.ts": [...CONVOLUTION, "kernels/preset.ts"],
  "kernels/mod.ts": [...KERNELS, "kernels/ops/"],
  "nn/": [...OPS, "nn/layers/", ...TEXT],
  "nn/layers/": OPS,
  "nn/families/": ["nn/", "nn/layers/", ...MESSAGES],
  "nn/compress/": [...OPS, "nn/", "nn/layers/", ...TEXT],
  "data/": TEXT,
  "export/": [...NN, "data/", ...TEXT],
  "train/": [...OPS, ...NN, "data/", ...TEXT, "export/"],
  "pictures/": ["data/", ...TEXT],
  "library/": TRAIN,
  "cli/": [...LIBRARY_ROOMS, "pictures/"],
  "bench/": [...LIBRARY_ROOMS, "pictures/", "cli/"],
  "mod.ts": [
    ...LIBRARY_ROOMS,
    ...["parts/kernels.ts", "parts/nn.ts", "parts/data.ts", "parts/onnx.ts"],
  ],
  // What is exported by itself: what each reaches is all that it needs.
  "parts/kernels.ts": OPS,
  "parts/nn.ts": [...OPS, ...NN],
  "parts/data.ts": ["data/", ...TEXT],
  "parts/onnx.ts": ["export/", "library/"],
  // Programs: they put the rooms together, and nobody imports them.
  "cli/main.ts": ["cli/actions.ts", ...EVERYTHING],
  "cli/actions.ts": ["cli/", "cli/commands/"],
  "cli/commands/": EVERYTHING,
  "train/cli.ts": ["cli/main.ts"],
  "std/": [],
};

const LIBRARY = [
  ...["kernels", "nn", "data", "export", "train", "library", "pictures", "cli", "bench"],
];

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

/** The room of a path; the top folder, or the name, where it is in none. */
function roomOf(path: string): string {
  const rooms = Object.keys(ROOMS).filter((room) => path.startsWith(room));
  return rooms.sort((a, b) => b.length - a.length)[0] ?? folderOf(path);
}

/** Imports against the arrows. Other packages' modules are nobody's business here. */
function wrongImports(sources: Sources): string[] {
  const folders = new Set([...sources.keys()].map(folderOf));
  return [...sources].flatMap(([path, source]) => {
    const room = roomOf(path);
    return importsOf(path, source)
      .filter((module) => folders.has(folderOf(module)) && roomOf(module) !== room)
      .filter((module) => ROOMS[room]?.includes(roomOf(module)) === false)
      .map((module) => `${path} imports ${module}`);
  });
}

/** Files that import each other in a circle, each circle once. */
function circles(sources: Sources): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path);
    if (start >= 0) found.push([...trail.slice(start), path].join(" > "));
    if (start >= 0 || done.has(path)) return;
    for (const module of importsOf(path, sources.get(path) ?? "")) {
      if (sources.has(module)) visit(module, [...trail, path]);
    }
    done.add(path);
  };
  for (const path of sources.keys()) visit(path, []);
  return found;
}

/** The files that a file reaches, itself included, and what it imports that is none of them. */
function reachedBy(path: string, sources: Sources): { files: Set<string>; others: string[] } {
  const files = new Set([path]);
  const others: string[] = [];
  // A set may grow while it is walked.
  for (const path of files) {
    for (const module of importsOf(path, sources.get(path) ?? "")) {
      if (sources.has(module)) files.add(module);
      else others.push(`${path} imports ${module}`);
    }
  }
  return { files, others };
}

/** What the package's users load, its exports, runs in browsers: no other package, nothing of Node's or Deno's. */
function notForBrowsers(sources: Sources): string[] {
  const reached = Object.values(config.exports)
    .map((path) => path.replace("./", ""))
    .filter((path) => sources.has(path))
    .map((path) => reachedBy(path, sources));
  const problems = reached.flatMap(({ others }) => others);
  for (const path of new Set(reached.flatMap(({ files }) => [...files]))) {
    const source = sources.get(path) ?? "";
    if (/^(?!\s*(?:\*|\/[/*])).*\bDeno\./m.test(source)) problems.push(`${path} uses Deno`);
  }
  return [...new Set(problems)];
}

/** What leaves reading and printing to the command line. */
const PURE = ["kernels", "nn", "export", "train", "library"];

/** Files of those rooms that use Deno, Node's modules or the console. */
function impure(sources: Sources): string[] {
  return [...sources].flatMap(([path, source]) => {
    if (!PURE.includes(folderOf(path)) || path === "train/cli.ts") return [];
    const code = source.replace(/\/\*[^]*?\*\/|\/\/.*/g, "");
    return [/\bDeno\./, /\bconsole\./, /"node:/].flatMap((pattern) => {
      const found = code.match(pattern);
      return found ? [`${path} uses ${found[0]}`] : [];
    });
  });
}

/** Files that parse JSON themselves, of which keys that occur twice go unnoticed. */
function parseThemselves(sources: Sources): string[] {
  return [...sources].flatMap(([path, source]) => {
    if (!LIBRARY.includes(folderOf(path)) || path === "data/json.ts" || path.startsWith("bench/")) {
      return [];
    }
    const code = source.replace(/\/\*[^]*?\*\/|\/\/.*/g, "");
    return /\bJSON\.parse\b/.test(code) ? [`${path} uses JSON.parse`] : [];
  });
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

const KIND_FOLDER = "nn/layers/";

/** Places outside nn/layers/ that tell kinds of layers apart by their names. */
function tellKindsApart(sources: Sources): string[] {
  const kinds = [...sources].flatMap(([path, source]) =>
    path.startsWith(KIND_FOLDER)
      ? [...source.matchAll(/^export const (\w+): LayerKind</gm)].map(([, kind]) => kind)
      : []
  );
  const compared = new RegExp(`(?:\\bcase|[!=]==) "(?:${kinds.join("|")})"`);
  return [...sources].flatMap(([path, source]) =>
    kinds.length && LIBRARY.includes(folderOf(path)) && !path.startsWith(KIND_FOLDER)
      ? source.split("\n").flatMap((line, i) => compared.test(line) ? [`${path}:${i + 1}`] : [])
      : []
  );
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

/** The top folders that each part of the package needs, besides its own file. */
const PARTS: Readonly<Record<string, readonly string[]>> = {
  "parts/data.ts": ["data"],
  "parts/kernels.ts": ["data", "kernels"],
  "parts/nn.ts": ["data", "kernels", "nn"],
};

Deno.test("a part of the package reaches what it needs and no more", { ignore }, () => {
  for (const [path, folders] of Object.entries(PARTS)) {
    const { files } = reachedBy(path, sources);
    const found = new Set([...files].filter((file) => file !== path).map(folderOf));
    assertEquals([...found].sort(), folders, path);
  }
});

Deno.test("no files import each other in a circle", { ignore }, () => {
  assertEquals(circles(sources), []);
});

Deno.test("what the exports of the package reach runs in browsers", { ignore }, () => {
  assertEquals(notForBrowsers(sources), []);
});

Deno.test(
  "mod.ts names what its signatures take, and nothing of the command line",
  { ignore },
  () => {
    const names = new Set(sources.get("mod.ts")?.replace(/\/\*[^]*?\*\//g, "").match(/\w+/g));
    for (const name of ["Teacher", "Feed", "DivergedError", "VerificationError"]) {
      assert(names.has(name), name);
    }
    for (const name of ["EXIT", "exitCode", "Reporter", "TrainOptions"]) {
      assert(!names.has(name), name);
    }
  },
);

Deno.test("networks and their training read no files and print nothing", { ignore }, () => {
  assertEquals(impure(sources), []);
});

Deno.test("JSON is read by data/json.ts alone", { ignore }, () => {
  assertEquals(parseThemselves(sources), []);
});

Deno.test("kernels/mod.ts lists every op", { ignore }, () => {
  assertEquals(unlistedOps(sources), []);
});

Deno.test("kinds of layers are told apart in nn/layers/ alone", { ignore }, () => {
  assertEquals(tellKindsApart(sources), []);
});

Deno.test("files of the library have at most 400 lines", { ignore }, () => {
  assertEquals(tooLong(sources), []);
});

Deno.test("file names are in snake_case", { ignore }, () => assertEquals(wrongNames(sources), []));

Deno.test("a wrong import is found in each of its forms, and none in comments", () => {
  const nn = { "nn/net.ts": "" };
  const found = (path: string, source: string) =>
    wrongImports(new Map(Object.entries({ ...nn, "mod.ts": "", "data/a.ts": "", [path]: source })));
  const wrong = ["kernels/ops/relu.ts imports nn/net.ts"];
  for (
    const source of [
      'import { net } from "../../nn/net.ts";',
      'import {\n  type Net,\n  net,\n} from "../../nn/net.ts";',
      'const a = 1;\nexport * from "../../nn/net.ts";',
      'import "../../nn/net.ts";',
      'import type { Net } from "../../nn/net.ts";',
      '  const { net } = await import("../../nn/net.ts");',
    ]
  ) assertEquals(found("kernels/ops/relu.ts", source), wrong, source);
  assertEquals(
    found(
      "kernels/ops/relu.ts",
      '/**\n * import "../../nn/net.ts";\n */\n// import("../../nn/net.ts")',
    ),
    [],
  );
  assertEquals(found("kernels/ops/relu.ts", 'import type {} from "@webgpu/types";'), []);
  assertEquals(found("nn/net.ts", 'import "../data/a.ts";'), ["nn/net.ts imports data/a.ts"]);
  assertEquals(found("train/step.ts", 'import "../mod.ts";'), ["train/step.ts imports mod.ts"]);
  assertEquals(found("train/step.ts", 'import "../nn/net.ts";\nimport "../data/a.ts";'), []);
  assertEquals(found("tests/a_test.ts", 'import "../mod.ts";'), []);
});

Deno.test("a circle is found once, however long", () => {
  const made = (sources: Record<string, string>) => circles(new Map(Object.entries(sources)));
  assertEquals(made({ "a.ts": 'import "./b.ts";', "b.ts": "" }), []);
  assertEquals(made({ "a.ts": 'import "./b.ts";', "b.ts": 'import type { A } from "./a.ts";' }), [
    "a.ts > b.ts > a.ts",
  ]);
  assertEquals(
    made({
      "a.ts": 'import "./b.ts";\nimport "./c.ts";',
      "b.ts": 'import "./c.ts";',
      "c.ts": 'export * from "./b.ts";',
    }),
    ["b.ts > c.ts > b.ts"],
  );
});

Deno.test("the other checks find what they are for", () => {
  const made = new Map([
    ["mod.ts", 'export * from "./train/step.ts";'],
    ["train/step.ts", 'import { parseArgs } from "@std/cli";\nimport { Gpu } from "./gpu.ts";'],
    ["train/gpu.ts", "// as Deno.exit() says\n/** Deno.exit() */\nDeno.exit();"],
    ["cli/main.ts", 'import { readFile } from "node:fs";\nDeno.exit();'],
    [
      "kernels/mod.ts",
      'import { add } from "./add.ts";\nexport const ops: readonly Op[] = [\n  relu,\n];',
    ],
    ["kernels/ops/relu.ts", "export const relu: Op = {};"],
    ["kernels/ops/add.ts", "export const add: Op<AddAttributes> = {};"],
    ["nn/BatchNorm.ts", "//\n".repeat(401)],
  ]);
  assertEquals(notForBrowsers(made), ["train/step.ts imports @std/cli", "train/gpu.ts uses Deno"]);
  assertEquals(notForBrowsers(new Map([["mod.ts", "// Deno.exit()\n/** Deno.exit() */"]])), []);
  assertEquals(impure(made), ["train/gpu.ts uses Deno."]);
  assertEquals(parseThemselves(new Map([["nn/a.ts", "/* JSON.parse */ JSON.parse(text)"]])), [
    "nn/a.ts uses JSON.parse",
  ]);
  assertEquals(unlistedOps(made), ["kernels/mod.ts does not list add of kernels/ops/add.ts"]);
  const relu = ["nn/layers/relu.ts", "export const relu: LayerKind<ReluLayer> = {};"] as const;
  const telling = [
    'const a = b;\nif (layer.kind === "relu") {}',
    'switch (kind) {\n  case "relu": {',
    '// relu\nreturn other.kind !== "relu";',
  ];
  for (const source of telling) {
    const sources = new Map([relu, ["train/a.ts", source]]);
    assertEquals(tellKindsApart(sources), ["train/a.ts:2"], source);
  }
  assertEquals(tellKindsApart(new Map([relu, ["train/a.ts", 'optimizer.name === "sgd"']])), []);
  assertEquals(tooLong(made), ["nn/BatchNorm.ts has 401 lines, more than 400"]);
  assertEquals(wrongNames(made), ["nn/BatchNorm.ts is not in snake_case"]);
});
