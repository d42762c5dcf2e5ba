// The report of a run as a page: what it shows, of which runs, how large it gets.
import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { readArguments } from "../cli/arguments.ts";
import { openDrawing } from "../cli/report/picture_document.ts";
import { disagreements, mistakesOf, toldBy } from "../cli/report_page/examples.ts";
import { keptClasses } from "../cli/report_page/keep_report.ts";
import { parseKept } from "../cli/report_page/kept_report.ts";
import { markup } from "../cli/report_page/markup.ts";
import { reportPage } from "../cli/report_page/page.ts";
import { readReport } from "../cli/report_page/read_report.ts";
import type { ReportData } from "../cli/report_page/report_data.ts";
import { reportOf } from "../cli/report_page/report_of.ts";
import { sameCommand } from "../cli/report_page/same_command.ts";
import { STYLE } from "../cli/report_page/style.ts";
import { hold } from "../cli/run/held_file.ts";
import { DataError } from "../data/error.ts";
import { Predictions } from "../train/predictions.ts";
import { withFolder } from "./folder.ts";
import { madeComparison, madeKept, madeRun } from "./made_report.ts";
import { lacks } from "./permissions.ts";

const ignore = lacks("read", "write", "env");

const drawing = ignore ? undefined : await openDrawing();

/** A page, with plain spaces before per cent signs. */
function pageOf(data: ReportData): string {
  if (!drawing) throw new Error("there is nothing to draw with");
  return reportPage(data, drawing).replaceAll("\u00a0", " ");
}

/** The sections of a page, in their order. */
function sectionsOf(page: string): string[] {
  return [...page.matchAll(/<section id="(\w+)"/g)].map(([, id]) => id);
}

Deno.test("a run has all sections, those of a search as well", { ignore }, () => {
  const run = [
    "result",
    "curves",
    "tradeoff",
    "widths",
    "classes",
    "confusion",
    "pictures",
    "run",
    "files",
  ];
  assertEquals(sectionsOf(pageOf(madeRun())), run);
  const [first, ...rest] = run;
  assertEquals(sectionsOf(pageOf(madeRun({ search: true }))), [first, "search", ...rest]);
});

Deno.test("each search of a run has its line, and what its widths cost", { ignore }, () => {
  const run = { ...madeRun({ search: true }), config: { budgetMacs: 0.5 } };
  const during = pageOf(run);
  assertStringIncludes(during, "The widths expected come to 50.0 % of the base network's");
  const after = pageOf({ ...run, found: { small: 0.48 } });
  assertStringIncludes(
    after,
    "The widths found come to 48.0 % of the base network's multiply-",
  );

  const of = (budget: number) =>
    run.history.flatMap((m) => m.search ? [{ ...m, search: { ...m.search, budget } }] : []);
  const several = pageOf({
    ...madeRun({ names: ["base", "small-0.25", "small-0.5"] }),
    history: [...of(0.5), ...of(0.25), ...madeRun().history],
    found: { "small-0.5": 0.48, "small-0.25": 0.24 },
  });
  const [search] = several.match(/<section id="search"[^]*?<\/section>/) ?? [];
  const sentences = [...(search ?? "").matchAll(/found for (small-[\d.]+) come to ([\d.]+ %)/g)];
  assertEquals(sentences.map(([, name, part]) => [name, part]), [
    ["small-0.5", "48.0 %"],
    ["small-0.25", "24.0 %"],
  ]);
  // Three charts, in each a line of three epochs for each search.
  const paths = [...(search ?? "").matchAll(/<path [^>]*?d="M([^"Z]*)"/g)];
  assertEquals(paths.filter(([, d]) => d.split("L").length === 3).length, 6);
});

Deno.test("a single epoch is in the middle of its charts", { ignore }, () => {
  const [, x] = pageOf(madeRun({ epochs: 1 })).match(/<circle [^>]*cx="([\d.]+)"/) ?? [];
  // Of 540 pixels, 46 left and 12 right of the axis.
  assertEquals(Number(x), 46 + (540 - 46 - 12) / 2);
});

Deno.test("a small network that is no smaller is not called 1.0 times smaller", { ignore }, () => {
  const run = madeRun();
  const networks = run.networks.map((network) => ({ ...network, params: 80_000, top1: 0.9 }));
  const page = pageOf({ ...run, networks });
  assertStringIncludes(
    page,
    "as many as the base network, with 2.0 times fewer multiply-accumulates.",
  );
  assert(!page.includes("1.0 times") && !page.includes("÷ 1.0") && !page.includes("+0.0"));
});

Deno.test("a page says what came out, and that it was proven", { ignore }, () => {
  const page = pageOf(madeRun());
  for (
    const text of [
      "The small network gets 85.0 % of the test images right, 5.0 points less than the base",
      "2.0 times fewer multiply-accumulates and 2.0 times fewer parameters.",
      "Verified for the small network: the network as saved is the one that was trained",
      "on 1,000 test images all class scores are equal to the last bit",
      "deno task train --epochs 4",
      "ab".repeat(32),
      'href="small.safetensors"',
    ]
  ) assertStringIncludes(page, text);
});

Deno.test("a page holds all it shows, describes its pictures, and names cannot end it", {
  ignore,
}, () => {
  const evil = "</style><script>alert(1)</script>";
  const page = pageOf(madeRun({ classes: [evil, "b\u202ec", 'd"e'] }));
  assert(!page.includes("<script"), "a script");
  assertEquals(page.match(/<\/body>/g)?.length, 1);
  const links = [...page.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, to]) => to);
  assertEquals(links.filter((to) => /^\w+:/.test(to) && !to.startsWith("data:")), []);
  assertEquals(page.match(/url\(/g), null);
  for (const [tag] of page.matchAll(/<img (?:"[^"]*"|[^">])*>/g)) assertMatch(tag, / alt="[^"]+"/);
  for (const [tag] of page.matchAll(/<svg class[^>]*>/g)) {
    assertMatch(tag, /aria-label="[^"]+"/);
    assertMatch(tag, /role="img"/);
  }
  assertStringIncludes(page, "\\u{202e}");
});

Deno.test("a network has one colour in all sections", { ignore }, () => {
  const page = pageOf(madeRun({ names: ["base", "small-2", "small-4"] }));
  const own = [...page.matchAll(/--own: (var\([\w-]+\))[^>]*>(?:[^<]*)small-4/g)].map(([, of]) =>
    of
  );
  assert(own.length > 20, `${own.length} times`);
  assertEquals(new Set(own), new Set(["var(--small-2)"]));
});

Deno.test("300 epochs, eight networks and 1,000 classes make no large page", { ignore }, () => {
  const classes = Array.from({ length: 1000 }, (_, i) => `a class with a name ${i}`);
  const names = ["base", ...[1, 2, 3, 4, 5, 6, 7].map((i) => `small-${i}`)];
  const page = pageOf(madeRun({ epochs: 300, names, classes }));
  assert(page.length < 1_500_000, `${page.length} bytes`);
  assertStringIncludes(page, "The worst 20 of 1000");
  assertStringIncludes(page, "The best 20 of 1000");
  assertStringIncludes(page, "the 20 most frequent confusions");
});

Deno.test("a run that has not ended is shown as far as it is", { ignore }, () => {
  const { networks, kept: _, summary: __, ...run } = madeRun({ epochs: 10 });
  const bare = networks.map(({ name, top1 }) => ({ name, top1 }));
  const history = run.history.slice(0, 3);
  const page = pageOf({
    ...run,
    status: "running",
    networks: bare,
    history,
    layers: [],
    points: [],
  });
  assertStringIncludes(page, "epoch 3 of 10 of the training · about 10 s left after it");
  assertEquals(sectionsOf(page), ["result", "curves", "run", "files"]);
  const begun = pageOf({
    ...run,
    status: "stopped",
    networks: [],
    history: [],
    layers: [],
    points: [],
  });
  assertStringIncludes(begun, "no epoch has ended yet");
  assertEquals(sectionsOf(begun), ["result", "run", "files"]);
});

Deno.test("other runs are beside the first, with thin curves", { ignore }, () => {
  const { points, history, ...run } = madeRun();
  const other = { name: "earlier", networks: points, history };
  const alone = pageOf({ ...run, points, history });
  const page = pageOf({ ...run, points, history, others: [other] });
  assertStringIncludes(page, "other runs");
  assertStringIncludes(page, "base of earlier 90.0 %");
  assert(!alone.includes("other runs"));
  assertEquals(page.match(/class="ratio">earlier</g)?.length, 2);
});

Deno.test("a comparison has its table, a point for each seed, and links to its runs", {
  ignore,
}, () => {
  const page = pageOf(madeComparison());
  assertEquals(sectionsOf(page), ["result", "methods", "tradeoff", "runs", "run", "files"]);
  assertStringIncludes(page, "75.0 % ± 1.0");
  assertStringIncludes(page, 'href="alone-0/report.html"');
  const seeds = page.match(/<title>seed \d\n[\d.]+ %<\/title>/g) ?? [];
  // Twice: for wide and for narrow screens.
  assertEquals(seeds.length, 2 * 12);
});

Deno.test("a comparison has the curve of each method, the mean over its seeds", { ignore }, () => {
  const { history } = madeRun();
  const at = (top1: number) =>
    history.map((m) => ({ ...m, validation: { small: { top1, top5: 1, loss: 2 * top1 } } }));
  const runs = [at(0.25), at(0.5)].map((history, i) => ({
    ...{ name: `alone-${i}`, report: true, history },
  }));
  const page = pageOf({ ...madeComparison(), runs });
  assertEquals(sectionsOf(page).slice(0, 3), ["result", "methods", "curves"]);
  const [curves] = page.match(/<section id="curves"[^]*?<\/section>/) ?? [];
  assertStringIncludes(curves ?? "", "epoch 2\nsmall alone 37.5 %");
  assertStringIncludes(curves ?? "", "epoch 2\nsmall alone 0.75");
  assert(!curves?.includes("small, adjoined"));
});

Deno.test("base networks of a comparison have lines that differ", { ignore }, () => {
  const { history } = madeRun();
  const made = madeComparison();
  const methods = ["base", "adjoined", "adjoined-best", "searched"] as const;
  const outcomes = methods.map((method) => ({
    ...made.comparison.outcomes[0],
    ...{ method, which: "base", file: `${method}-0/base.safetensors` } as const,
  }));
  const comparison = { ...made.comparison, methods, outcomes };
  const runs = methods.map((method) => ({ name: `${method}-0`, report: true, history }));
  const page = pageOf({ ...made, comparison, runs });
  const [curves = ""] = page.match(/<section id="curves"[^]*?<\/section>/) ?? [];
  const [chart] = curves.split("</figure>");
  const keys = [...chart.matchAll(/<li class="(\w+)"/g)].map(([, kind]) => kind);
  assertEquals(keys, ["line", "dashed", "dotted", "alternating"]);
  for (const kind of keys.slice(1)) assertStringIncludes(STYLE, `.key li.${kind}::before`);
  const dashes = new Set([...chart.matchAll(/stroke-dasharray="([^"]+)"/g)].map(([, d]) => d));
  assertEquals(dashes.size, 3);
});

/** The relative luminance of a colour as `#rrggbb`, by WCAG 2. */
function luminance(colour: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16) / 255)
    .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

Deno.test("texts and lines stand out from the ground, in light and in dark", () => {
  const palettes = STYLE.split("@media").slice(0, 2).map((part) =>
    new Map(
      [...part.matchAll(/--([\w-]+): (#[0-9a-f]{6})/g)].map(([, name, value]) => [name, value]),
    )
  );
  for (const palette of palettes) {
    const of = (name: string): number => luminance(palette.get(name) ?? "");
    const contrast = (name: string, on: string): number => {
      const [low, high] = [of(name), of(on)].sort((a, b) => a - b);
      return (high + 0.05) / (low + 0.05);
    };
    const read = ["text", "quiet", "base", "small", "small-2", "small-3", "small-4", "small-5"];
    for (const name of [...read, "extra", "good", "bad"]) {
      for (const on of ["ground", "card"]) {
        assert(contrast(name, on) >= 4.5, `${name} on ${on}: ${contrast(name, on)}`);
      }
    }
    assert(contrast("other", "ground") >= 3);
    assert(contrast("on-base", "base") >= 4.5);
  }
});

Deno.test("markup takes strings for text, and leaves out indentation", () => {
  const { source } = markup`
    <p title="${'"<&'}">
      ${["a", markup`<b>${1}</b>`, undefined]}
    </p>
  `;
  assertEquals(source, '<p title="&quot;&lt;&amp;">\na<b>1</b>\n</p>');
  const [joined] = [markup`<p>${"48.1 % of 2 or % of 3"}</p>`];
  assertEquals(joined.source, "<p>48.1\u00a0% of 2 or % of 3</p>");
});

/** Predictions of images whose classes are 0, 1, 2, 0, 1, 2: the logit of each given one is `sure`. */
function predictions(given: readonly number[], sure: readonly number[]): Predictions {
  const made = new Predictions(3);
  const logits = new Float32Array(given.length * 3);
  given.forEach((label, i) => logits[i * 3 + label] = sure[i]);
  const labels = Uint32Array.from(given, (_, i) => i % 3);
  made.add({ count: given.length, labels }, logits);
  return made;
}

Deno.test("a run keeps how classes are told apart, and images on which networks differ", () => {
  const base = predictions([0, 1, 2, 0, 2, 2], [1, 1, 1, 1, 4, 1]);
  const small = predictions([0, 2, 2, 1, 2, 0], [1, 3, 1, 2, 9, 5]);
  assertEquals(keptClasses(small), {
    images: [2, 2, 2],
    right: [1, 0, 1],
    predicted: [2, 1, 3],
    confused: [[1, 2, 2], [0, 1, 1], [2, 0, 1]],
  });
  const told = toldBy([["base", base], ["small", small]]);
  assertEquals(told.map(({ place, label }) => [place, label]).at(4), [4, 1]);
  const places = (list: readonly { readonly place: number }[]) => list.map(({ place }) => place);
  assertEquals(places(disagreements(told, ["base", "small"])), [5, 1, 3]);
  assertEquals(places(mistakesOf(told, "small")), [4, 5, 1, 3]);
  assertEquals(places(mistakesOf(told, "base")), [4]);
});

Deno.test("report.json is read back, and refused where a field does not fit", () => {
  const kept = madeKept(["base", "small"], ["cat", "dog"]);
  assertEquals(parseKept(JSON.stringify(kept), "report.json"), kept);
  const refused: [unknown, string][] = [
    [[], "found []"],
    [{ ...kept, classes: [1] }, "found [1] as classes"],
    [{ ...kept, mistakes: [{ ...kept.mistakes[0], label: 2 }] }, "as mistakes"],
    [{ ...kept, mistakes: [{ ...kept.mistakes[0], picture: "javascript:1" }] }, "as mistakes"],
    [{ ...kept, networks: { base: { ...kept.networks.base, right: [1] } } }, "as networks"],
  ];
  for (const [value, words] of refused) {
    assertThrows(() => parseKept(JSON.stringify(value), "it"), DataError, words);
  }
  assertThrows(() => parseKept("{", "it"), DataError, "found a text that is not JSON");
});

Deno.test("the command line of a report is the shortest that has the same options", () => {
  const typed = [
    "--model",
    "resnet20",
    "--dataset",
    "cifar10",
    "--data-dir",
    "a b",
    "--lr",
    "0.004",
  ];
  const config = { ...readArguments("train", typed).values, command: "train", which: null };
  const same = sameCommand(config);
  // The learning rate is the default of the optimiser.
  assertEquals(same, ["train", "--model", "resnet20", "--dataset", "cifar10", "--data-dir", "a b"]);
  assertEquals(readArguments("train", same.slice(1)).values, readArguments("train", typed).values);
});

Deno.test("a folder is read while it is written to, after it was stopped, and with no run in it", {
  ignore,
}, () =>
  withFolder(async (dir) => {
    const row = JSON.stringify(madeRun().history[0]);
    const run = `${dir}/run`;
    Deno.mkdirSync(run);
    const fails = async (folder: string, words: string): Promise<void> => {
      const error = await reportOf(folder).catch((error) => error);
      assert(error instanceof DataError, String(error));
      assertStringIncludes(error.message, words);
    };
    await fails(`${dir}/none`, "wanted the folder of a run or of a comparison, found no folder");
    await fails(run, "found neither config.json nor results");
    await Deno.writeTextFile(`${run}/config.json`, JSON.stringify({ model: "resnet8", epochs: 4 }));
    await Deno.writeTextFile(`${run}/metrics.jsonl`, `${row}\n${row.slice(0, 40)}`);
    await Deno.writeTextFile(`${run}/report.json`, "broken");
    const { data, html } = await reportOf(run, { beside: [run], hashes: true });
    assertEquals([data.kind, data.status], ["run", "stopped"]);
    assertEquals(data.kind === "run" && data.history.length, 1);
    assertEquals(data.files.map(({ name, sha256 }) => [name, sha256?.length]), [
      ["config.json", 64],
      ["metrics.jsonl", 64],
      ["report.json", 64],
    ]);
    assertStringIncludes(html, "small of run 21.3 %");
    // What holds a file holds it against the same process, too.
    using held = hold(`${run}/config.json`);
    if (held) assertEquals((await readReport(run)).status, "running");
    assertEquals((await readReport(run, { ended: true })).status, "stopped");
    await fails(`${run}/config.json`, "found a file");
  }));
