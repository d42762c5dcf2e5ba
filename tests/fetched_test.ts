// What is fetched before a command starts: not the 140 MB that only ONNX needs, nor the 40 MB that
// only pictures in files need.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { walk } from "@std/fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { LOCK_FLAG } from "../data/not_locked.ts";
import { EXIT } from "../cli/exit.ts";
import map from "../import_map.json" with { type: "json" };
import { adjoinCommand, type Outcome } from "./command.ts";
import { withFolder } from "./folder.ts";
import { lacks } from "./permissions.ts";
import { makePictures } from "./picture_folders.ts";
import { taskNames, taskOf } from "./tasks.ts";

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
        const pattern = new RegExp(`^(?:import|export)[^;"=(]*"${name}[/"][^;]*;`, "gm");
        named += source.includes(`"${name}`) ? 1 : 0;
        found.push(...source.match(pattern) ?? []);
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
    const installs = (await Deno.readTextFile(`${root}setup.sh`)).match(/^deno install.*/gm);
    assertEquals(installs, ["deno install --quiet --entrypoint cli/main.ts ||"]);
  },
);

/** A lock file of Deno's: what was asked for, and each package with the hash of its files. */
interface Lock {
  readonly specifiers: Readonly<Record<string, string>>;
  readonly npm: Readonly<Record<string, unknown>>;
}

function readLock(path: string): Lock {
  return JSON.parse(Deno.readTextFileSync(`${root}${path}`));
}

/** The packages that an import map names, as a lock file has them. */
function packagesOf(imports: Readonly<Record<string, string>>): string[] {
  return Object.values(imports).filter((url) => /^npm:[^/]/.test(url)).sort();
}

/** What every command loads, and the types of the source. `deno task` fetches it before any task. */
const SMALL = ["@observablehq/plot", "@webgpu/types", "linkedom"];

Deno.test(
  "deno task fetches what every command loads, no packages of single commands",
  { ignore: lacks("read") },
  () => {
    const config = JSON.parse(Deno.readTextFileSync(`${root}deno.json`));
    // It fetches the imports of deno.json and all of its lock file, but no more of an import map.
    assertEquals([config.imports, config.importMap], [undefined, "./import_map.json"]);
    assertEquals(config.lock, { frozen: true });
    for (const member of config.workspace) {
      const { imports } = JSON.parse(Deno.readTextFileSync(`${root}${member}/deno.json`));
      assertEquals(imports, undefined, member);
    }
    const { specifiers, npm } = readLock("deno.lock");
    const names = Object.keys(specifiers).map((url) => url.replace(/^npm:|@[^@]*$/g, ""));
    assertEquals(names, SMALL);
    assertEquals(Object.keys(npm).filter((name) => /sharp|libvips|onnx|tensorflow/.test(name)), []);
  },
);

Deno.test("all packages have one version, and a hash", { ignore: lacks("read") }, () => {
  const full = readLock("packages.lock");
  assertEquals(Object.keys(full.specifiers).sort(), packagesOf(map.imports));
  for (const [name, version] of Object.entries(full.specifiers)) {
    assertEquals(name.split("@").at(-1), version);
  }
  const { imports } = JSON.parse(Deno.readTextFileSync(`${root}examples/web/deno.json`));
  for (const path of ["deno.lock", "examples/web/deno.lock"]) {
    const { specifiers, npm } = readLock(path);
    for (const [name, version] of Object.entries(specifiers)) {
      assertEquals(version, full.specifiers[name], `${path}: ${name}`);
    }
    for (const [name, found] of Object.entries(npm)) {
      assertEquals(found, full.npm[name], `${path}: ${name}`);
    }
  }
  assertEquals(Object.keys(readLock("examples/web/deno.lock").specifiers), packagesOf(imports));
  const all: Readonly<Record<string, string>> = map.imports;
  for (const [name, place] of Object.entries(all)) {
    if (name.endsWith("/")) assertEquals(place, `${all[name.slice(0, -1)].replace(":", ":/")}/`);
    else if (place.startsWith("./")) assert(Deno.statSync(`${root}${place}`).isFile, place);
  }
  for (const found of Object.values(full.npm)) {
    assertMatch(JSON.stringify(found), /^{"integrity":"sha512-[\w+/]{86}=="/);
  }
});

/** What a module names with a path: imports, and what it resolves to load it later. */
const NAMED =
  /(?:\bfrom |\bimport |\bimport\(|\bimport\.meta\.resolve\(|\bnew URL\()\s*"(\.[^"]+)"/g;

/** The modules that a program can load, however late. */
function reach(program: string): Set<string> {
  const found = new Set([program]);
  // A set may grow while it is walked.
  for (const path of found) {
    // Packages import none of ours, and are not there until they are installed.
    if (!/\.[jt]s$/.test(path) || path.includes("/node_modules/")) continue;
    const source = Deno.readTextFileSync(`${root}${path}`);
    for (const [, module] of source.matchAll(NAMED)) {
      found.add(new URL(module, `file:///${dirname(path)}/`).pathname.slice(1));
    }
  }
  return found;
}

Deno.test(
  "a task whose program can load a package of single commands names the lock file that has it",
  { ignore: lacks("read") },
  () => {
    const loads = new Map<string, boolean>();
    for (const words of taskNames()) {
      const { line } = taskOf(words);
      const [, flags, program] = /\bdeno run (.*?)([\w/]+\.ts)\b/.exec(line) ?? [];
      if (program === undefined) continue;
      if (!loads.has(program)) {
        loads.set(program, [...reach(program)].some((path) => path.endsWith("_package.js")));
      }
      assertEquals(flags.split(" ").includes(LOCK_FLAG), loads.get(program), words.join(" "));
    }
    assertEquals([loads.get("cli/main.ts"), loads.get("bench/cost.ts")], [true, false]);
    // The tests are started by a program; documents show how ONNX is run.
    const tests = Deno.readTextFileSync(`${root}tests/suite/files.ts`);
    assert(tests.includes(`"${LOCK_FLAG}"`));
    assert(taskOf(["snippets"]).line.includes(`deno test ${LOCK_FLAG} `));
  },
);

const SHARP = map.imports.sharp.split("@").at(-1);

/** A cache of Deno's that has what the other has, but one package. */
async function cacheWithout(name: string, folder: string): Promise<void> {
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).output();
  const { denoDir } = JSON.parse(new TextDecoder().decode(stdout));
  const packages = "npm/registry.npmjs.org";
  await Deno.mkdir(`${folder}/${packages}`, { recursive: true });
  await Deno.symlink(`${denoDir}/gen`, `${folder}/gen`);
  for await (const entry of Deno.readDir(`${denoDir}/${packages}`)) {
    if (entry.name === name) continue;
    await Deno.symlink(
      `${denoDir}/${packages}/${entry.name}`,
      `${folder}/${packages}/${entry.name}`,
    );
  }
}

Deno.test(
  "a command says what it fetches, and what helps where that fails",
  { ignore: lacks("read", "write", "run", "env") || Deno.build.os === "windows" },
  () =>
    withFolder(async (dir) => {
      await makePictures(`${dir}/set`, ["a/1.png", "a/2.png", "b/1.png", "b/2.png"]);
      await cacheWithout("sharp", `${dir}/cache`);
      const data = (env: Record<string, string>, flag: string): Promise<Outcome> =>
        adjoinCommand(["data", `${dir}/set`], env, ["--allow-all", flag]);
      const [fetching, unlocked] = await Promise.all([
        data({ DENO_DIR: `${dir}/cache` }, "--cached-only"),
        data({}, "--lock=deno.lock"),
      ]);
      const wanted =
        `adjoin: Cannot decode pictures: wanted sharp ${SHARP}, which is loaded when ` +
        "it is first needed, found";
      const told = `fetching sharp ${SHARP}, once (40 MB)\n${wanted} no way to: run sh setup.sh ` +
        "--all once where there is a network\n";
      assertEquals([fetching.code, fetching.error], [EXIT.data, told]);
      const cure = `${wanted} a lock file without it: add ${LOCK_FLAG}, or use deno task\n`;
      assertEquals([unlocked.code, unlocked.error], [EXIT.data, cure]);
    }),
);
