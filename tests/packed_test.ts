// The package as it is published: its files alone, used from another folder and from a browser.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import config from "../deno.json" with { type: "json" };
import { VERSION } from "../export/version.ts";
import { inChromium, installedChromium } from "./chromium.ts";
import { withFolder } from "./folder.ts";
import { lacks } from "./permissions.ts";

const ignore = lacks("read", "write", "run", "env");
const ROOT = fileURLToPath(new URL("../", import.meta.url));

/** Runs Deno in a folder, without what a task would have set. */
async function deno(cwd: string, ...args: readonly string[]): Promise<string> {
  const { INIT_CWD: _, ...env } = Deno.env.toObject();
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    ...{ cwd, clearEnv: true, env: { ...env, NO_COLOR: "1" } },
  }).output();
  const [out, error] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  assertEquals(code, 0, error);
  return out + error;
}

/** What would be published, asked once. */
let asked: ReturnType<typeof ask> | undefined;
const published = (): ReturnType<typeof ask> => asked ??= ask();

async function ask(): Promise<{ files: string[]; said: string }> {
  const said = await deno(ROOT, "publish", "--dry-run", "--no-check", "--allow-dirty");
  const listed = [...said.matchAll(/^\s*(file:\S+) \([\d.]+[KM]?B\)$/gm)];
  const files = listed.map(([, url]) => fileURLToPath(url).slice(ROOT.length));
  return { files, said };
}

/** Bytes of files as a compressed archive, without the heads of its entries. */
async function compressed(files: readonly string[]): Promise<number> {
  const parts = await Promise.all(files.map((file) => Deno.readFile(`${ROOT}${file}`)));
  const stream = new Blob(parts).stream().pipeThrough(new CompressionStream("gzip"));
  return (await new Response(stream).arrayBuffer()).byteLength;
}

/** Trains, and tells what came out; every export is imported. */
const USER = `import { exportOnnx, generatedSplit, predict, train } from "@adjoin/adjoin";
import { relu } from "@adjoin/adjoin/kernels";
import { network } from "@adjoin/adjoin/nn";
import { TrainingBatches } from "@adjoin/adjoin/data";
import { readOnnx } from "@adjoin/adjoin/onnx";
import { decodeInBrowser } from "@adjoin/adjoin/pictures";

const model = network({ channels: 3 }, (n) => {
  n.stage(0);
  let x = n.conv2d(n.image, { name: "conv1", out: 4, kernel: 3, stride: 2 });
  x = n.relu(n.batchNorm(x, { name: "bn1" }));
  n.stage(1);
  x = n.relu(n.conv2d(x, { name: "conv2", out: 8, kernel: 3, stride: 2 }));
  n.linear(n.globalAvgPool2d(x), { name: "fc", out: 10 });
});
const data = generatedSplit({ train: 16, validation: 10, size: 12, seed: 1 });
const options = { data, model, maskFrom: 1, epochs: 1, batchSize: 8 } as const;
const { networks: { small }, verification } = await train(options);
const { pixels } = data.validation;
const picture = { height: 12, width: 12, channels: 3, pixels: pixels.subarray(0, 432) };
const [{ class: name }] = await predict(small, picture, { top: 1 });
const { tensors } = readOnnx(exportOnnx(small), "small.onnx");
const batches = new TrainingBatches({ dataset: data.train, batch: 8, seed: 0 });
export const found = [
  ...[tensors.size, verification.small?.top1Agreement, data.train.classes.includes(name)],
  ...[batches.length, relu.name, typeof decodeInBrowser],
];
`;

const WANTED = [5, 1, true, 2, "relu", "function"];

/** A folder with the package, and one beside it with a project that uses it. */
function withProject(use: (project: string) => Promise<void>): Promise<void> {
  return withFolder(async (dir) => {
    const { files } = await published();
    for (const file of files) {
      await Deno.mkdir(dirname(`${dir}/package/${file}`), { recursive: true });
      await Deno.copyFile(`${ROOT}${file}`, `${dir}/package/${file}`);
    }
    await Deno.mkdir(`${dir}/project`);
    const imports = Object.fromEntries(
      Object.entries(config.exports).map(([name, path]) => [
        `@adjoin/adjoin${name.slice(1)}`,
        `../package${path.slice(1)}`,
      ]),
    );
    await Deno.writeTextFile(`${dir}/project/deno.json`, JSON.stringify({ imports }));
    await Deno.writeTextFile(`${dir}/project/user.ts`, USER);
    await use(`${dir}/project`);
  });
}

Deno.test("the package is small, needs no other, and has its version", { ignore }, async () => {
  const { files, said } = await published();
  assert(!/warning|error:/.test(said), said);
  assert(await compressed(files) < 1_000_000);
  for (const file of ["mod.ts", "LICENSE", "README.md", "parts/nn.ts"]) {
    assert(files.includes(file), file);
  }
  assertEquals(files.filter((file) => /^(tests|cli|bench|examples)\//.test(file)), []);
  assertEquals(VERSION, config.version);
});

Deno.test(
  "the package trains from another folder, without a permission, and is bundled for browsers",
  { ignore },
  () =>
    withProject(async (project) => {
      const run = `import { found } from "./user.ts";\nconsole.log(JSON.stringify(found));\n`;
      await Deno.writeTextFile(`${project}/run.ts`, run);
      assertEquals(
        JSON.parse(await deno(project, "run", "--no-prompt", "--quiet", "run.ts")),
        WANTED,
      );
      const said = await deno(
        project,
        "bundle",
        "--platform",
        "browser",
        "user.ts",
        "-o",
        "user.js",
      );
      assertMatch(said, /user\.js/);
      const chromium = installedChromium();
      if (chromium === undefined || lacks("net")) return;
      const page = `import { found } from "./user.ts";
void fetch("/found", { method: "POST", body: JSON.stringify(found) });`;
      await Deno.writeTextFile(`${project}/page.ts`, page);
      assertEquals(await inChromium(chromium, `${project}/page.ts`, { cwd: project }), WANTED);
    }),
);
