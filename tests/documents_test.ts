// Holds the documents to what is there: flags, numbers, names, links, code that is not run. Commands:
// documented_commands_test.ts.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { ValidationBatches } from "../data/batches.ts";
import { Gpu } from "../kernels/gpu.ts";
import { nullDevice } from "../kernels/gpu/null_device.ts";
import type { Op } from "../kernels/op.ts";
import { SOFTWARE } from "../kernels/preset.ts";
import { adjoin } from "../nn/compress/adjoin.ts";
import { count } from "../nn/count.ts";
import { model, MODEL_NAMES, type Stem } from "../nn/families/mod.ts";
import { KIND_NAMES } from "../nn/layers/mod.ts";
import { feasible } from "../nn/compress/width_choice.ts";
import { widthCost } from "../nn/compress/width_cost.ts";
import { widthGroups } from "../nn/compress/width_groups.ts";
import { readArguments } from "../cli/arguments.ts";
import { memoryTable, planMemory } from "../cli/report/memory_plan.ts";
import { EXIT } from "../cli/exit.ts";
import { optionList } from "../cli/flags/option_list.ts";
import { settingsList } from "../cli/flags/settings_list.ts";
import { flagOf, optionsOf } from "../cli/flags/table.ts";
import { generalHelp } from "../cli/help.ts";
import { SIGNALS } from "../cli/run/interrupt.ts";
import { openJob } from "../cli/run/open_run.ts";
import { trainRequest } from "../cli/options.ts";
import { encodeOnnx } from "../export/onnx.ts";
import { OnnxSession } from "../export/onnx_session.ts";
import { scaled } from "../cli/text.ts";
import { sideOf } from "./family_sides.ts";
import { check } from "./op_suite.ts";
import { blocks, documents, everything, quoted, read, readme, root, table } from "./documents.ts";
import { lacks } from "./permissions.ts";
import { checkpointOf, images, NETWORKS } from "./saved_networks.ts";

const ignore = lacks("read");

Deno.test("README.md has the two lines to begin with", { ignore }, () => {
  const first = blocks("sh", readme).flatMap((block) => block.trim().split("\n"));
  for (const task of ["train", "test"]) {
    assert(first.includes(`sh setup.sh && deno task ${task}`), task);
  }
});

Deno.test("the sizes in the documents are those that are counted", { ignore }, () => {
  const rows = table("Sizes");
  assert(rows.length >= 10);
  for (const [name, compression, ...found] of rows) {
    const { small } = adjoin(model(name, { classes: 1000 }), { compression: Number(compression) });
    const { backboneParams, classifierParams, macs } = count(small, { height: 224, width: 224 });
    const wanted = [backboneParams, classifierParams].map((n) => n.toLocaleString("en-US"));
    assertEquals(found, [...wanted, scaled(macs)], `${name}, ${compression}`);
  }
});

Deno.test("the documents name every model, and every flag of train", { ignore }, () => {
  const names = new Set([...quoted(everything), ...table("Sizes").map(([name]) => name)]);
  assertEquals(MODEL_NAMES.filter((name) => !names.has(name)), []);
  const flags = table("Flags").flatMap(([cell]) => quoted(cell));
  const all = optionsOf("train").map(({ name }) => flagOf(name)).filter((name) =>
    !["--help", "--version"].includes(name)
  );
  assertEquals(flags.toSorted(), all.toSorted());
});

/** Options with their types, however their lines are broken. */
function fieldsOf(settings: string): string[] {
  const text = settings.replace(/[\s*]+/g, " ").replaceAll("?: |", "?:");
  return text.split("readonly ");
}

Deno.test("the list of options is that of the command line", { ignore }, () => {
  assertEquals(documents.get("docs/options.md"), optionList());
  const settings = new URL("../library/settings.ts", import.meta.url);
  assertEquals(fieldsOf(Deno.readTextFileSync(settings)), fieldsOf(settingsList()));
});

Deno.test("the documents name every flag that only the search has", { ignore }, () => {
  const train = new Set<string>(optionsOf("train").map(({ name }) => name));
  const own = optionsOf("search").filter(({ name }) => !train.has(name));
  const flags = table("Learning the widths").flatMap(([cell]) => quoted(cell));
  assertEquals(flags.toSorted(), own.map(({ name }) => flagOf(name)).toSorted());
  const search = new Set<string>(optionsOf("search").map(({ name }) => name));
  const told = everything.match(/All flags of training but (.*) go with it/)?.[1] ?? "";
  const other = [...train].filter((name) => !search.has(name)).map(flagOf);
  assertEquals(quoted(told).toSorted(), other.toSorted());
});

Deno.test("the least budgets in the documents are those that are possible", { ignore }, () => {
  const rows = table("Possible budgets");
  assert(rows.length >= 6);
  for (const [name, stem, size, classes, maskFrom, ...found] of rows) {
    const side = Number(size.split("x")[0]);
    const base = model(name, { classes: Number(classes), stem: stem as Stem });
    const groups = widthGroups(base, { maskFrom: Number(maskFrom), divisors: [1, 2, 4, 8] });
    const image = { height: side, width: side };
    const leasts = (["macs", "params"] as const).map((budgeted) =>
      feasible(groups, widthCost(base, groups, { budgeted, image })).least.toFixed(3)
    );
    assertEquals(found, [String(groups.groups.length), ...leasts], `${name}, ${maskFrom}`);
  }
});

Deno.test("the documents tell exit codes as --help does", { ignore }, () => {
  const rows = table("Exit codes");
  assertEquals(rows.map(([code]) => Number(code)), [
    ...Object.values(EXIT),
    ...SIGNALS.map(({ code }) => code),
  ]);
  for (const [code, meaning] of rows) {
    assertStringIncludes(generalHelp(), `${code.padEnd(5)}${meaning}\n`);
  }
});

Deno.test("the documents tell the memory of a run with all defaults", { ignore }, async () => {
  const { options } = trainRequest(readArguments("train", []));
  const found = await Gpu.open();
  found.destroy();
  const gpu = await Gpu.open({ device: nullDevice(found.device), preset: SOFTWARE });
  const lines = memoryTable(await planMemory(gpu, await openJob(options)));
  const told = blocks("text").find((block) => block.startsWith(lines[0]));
  assertEquals(told?.trimEnd().split("\n"), lines);
});

Deno.test("the documents list the files of a run folder", { ignore }, () => {
  const [, list] = read("cli/run/replacing.ts").match(/RUN_FILES = \[([^\]]*)\]/) ?? [];
  const files = [...list.matchAll(/"([^"]+)"/g)].map(([, name]) => name);
  assertEquals(table("The run folder").flatMap(([cell]) => quoted(cell)), files);
});

Deno.test("the documents list what lies in the repository", { ignore }, () => {
  const layout = blocks("text").find((block) => block.startsWith("mod.ts ")) ?? "";
  const named = layout.trim().split("\n").map((line) => line.split(/\s/)[0].replace("/", ""));
  for (const name of named) Deno.statSync(new URL(name, root));
  const published: string[] = JSON.parse(read("deno.json")).publish.include;
  const folders = published.filter((name) => name.endsWith("/")).map((name) => name.slice(0, -1));
  assertEquals(folders.filter((name) => !named.includes(name)), []);
});

/** The anchor of a heading, as GitHub makes it. */
function anchorOf(heading: string): string {
  return heading.toLowerCase().replace(/[^\w\s-]/g, "").replaceAll(" ", "-");
}

/** Links of the documents to files and headings that are not there. */
function brokenLinks(texts: ReadonlyMap<string, string>): string[] {
  return [...texts].flatMap(([path, text]) =>
    [...text.matchAll(/\]\(([^)\s]+)\)|(?:href|src|srcset)="([^"\s]+)"/g)].flatMap(
      ([, written, inHtml]) => {
        const link = written ?? inHtml;
        if (/^https?:/.test(link)) return [];
        const { pathname, hash } = new URL(link, `file:///${path}`);
        const target = pathname.slice(1);
        const file = new URL(target, root);
        const there = texts.has(target) || existsSync(file);
        const text = !texts.has(target) && there && target.endsWith(".md") ? read(target) : "";
        const found = texts.get(target) ?? text;
        const headings = [...found.matchAll(/^#+ (.*)$/gm)].map(([, name]) => anchorOf(name));
        return there && (!hash || headings.includes(hash.slice(1))) ? [] : [`${path}: ${link}`];
      },
    )
  );
}

Deno.test("links in the documents lead to files and headings", { ignore }, () => {
  assertEquals(brokenLinks(documents), []);
  const made = new Map([[
    "docs/a.md",
    '# A b\n[x](#a-b) [y](#c) [z](../mod.ts) [w](b.md) <img src="c.svg"> [v](../README.md#limits-of)',
  ]]);
  assertEquals(
    brokenLinks(made),
    ["#c", "b.md", "c.svg", "../README.md#limits-of"].map((link) => `docs/a.md: ${link}`),
  );
});

Deno.test("README.md leads to every document", { ignore }, () => {
  const linked = [...readme.matchAll(/\]\(([^)#\s]+)[)#]/g)].map(([, path]) => path);
  const others = [...documents.keys()].filter((path) => /^[A-Z]+\.md$|^docs\//.test(path))
    .filter((path) => path !== "README.md");
  assertEquals(others.filter((path) => !linked.includes(path)), []);
});

/** The exports of a block of TypeScript. */
async function moduleOf(text: string): Promise<Record<string, unknown>> {
  const code = blocks("ts").find((block) => block.includes(text)) ?? "";
  return await import(`data:application/typescript,${encodeURIComponent(code)}`);
}

Deno.test(
  "the op in the documents equals its reference, and so does its gradient",
  { ignore },
  async () => {
    const { square } = await moduleOf("export const square") as { square: Op };
    const gpu = await Gpu.open();
    try {
      for (const test of square.cases) {
        const { parity, gradient } = await check(gpu, square, test, { seed: 1 });
        assert(parity <= 1e-5 && gradient <= 1e-4, `${parity}, ${gradient}`);
      }
    } finally {
      gpu.destroy();
    }
  },
);

Deno.test(
  "topClass() in the documents runs an ONNX file that takes pixels",
  { ignore },
  async () => {
    const { topClass } = await moduleOf("function topClass") as {
      topClass(
        file: Uint8Array,
        image: { pixels: Uint8Array; height: number; width: number },
      ): Promise<number>;
    };
    const dataset = images(3);
    const { height, width } = dataset;
    const checkpoint = checkpointOf(NETWORKS["of bottlenecks, cut"]);
    const { bytes } = encodeOnnx(checkpoint, { includeNormalization: true });
    const session = await OnnxSession.open(bytes, "it");
    for (const batch of new ValidationBatches({ dataset, batch: 1 })) {
      const logits = await session.logits(batch);
      const found = await topClass(bytes, { pixels: batch.pixels, height, width });
      assertEquals(found, logits.indexOf(Math.max(...logits)));
    }
    await session.close();
  },
);

Deno.test(
  "mod.ts is bundled for browsers as the documents say",
  { ignore: ignore || lacks("run", "write") },
  async () => {
    const out = await Deno.makeTempFile({ suffix: ".js" });
    try {
      const { success, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["bundle", "--platform", "browser", "mod.ts", "-o", out],
        cwd: fileURLToPath(root),
      }).output();
      assert(success, new TextDecoder().decode(stderr));
      const code = await Deno.readTextFile(out);
      assertStringIncludes(code, "TrainingStep");
      assert(!/\bDeno\.|"node:/.test(code.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, "")));
    } finally {
      await Deno.remove(out);
    }
  },
);

Deno.test(
  "docs/networks.md has every family with its size, and every kind of layers",
  { ignore },
  () => {
    const text = documents.get("docs/networks.md") ?? "";
    const rows = [...text.matchAll(/^\| `(\w+)` *\|(.*)\|$/gm)]
      .map(([, name, rest]) => [name, ...rest.split("|").map((cell) => cell.trim())]);
    const sizes = MODEL_NAMES.map((name) => {
      const side = sideOf(name);
      const image = { height: side, width: side };
      const base = model(name, { classes: side === 32 ? 10 : 1000 });
      const { small } = adjoin(base, { compression: 4, maskFrom: 1 });
      const numbers = [base, small].flatMap((net) => {
        const { params, macs } = count(net, image);
        return [params.toLocaleString("en"), scaled(macs)];
      });
      return [name, `${side}`, ...numbers];
    });
    assertEquals(rows.filter(([name]) => MODEL_NAMES.includes(name)), sizes);
    const layers = text.slice(text.indexOf("| layer"), text.indexOf("## What becomes small"));
    const kinds = [...layers.matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name);
    assertEquals(kinds.toSorted(), KIND_NAMES.toSorted());
  },
);
