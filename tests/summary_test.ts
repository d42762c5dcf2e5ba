import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { fileURLToPath } from "node:url";
import { summarize, type SummaryOptions, summaryTable } from "../cli/summary.ts";
import { lacks } from "./permissions.ts";

const OPTIONS: SummaryOptions = {
  model: "resnet50",
  compression: 4,
  imageSize: 224,
  classes: 1000,
  maskFrom: 2,
  trunk: "shared",
  channels: 3,
};

Deno.test("parameters and MACs are those of the published networks", () => {
  const sizes: [number, number, number, number, string][] = [
    [18, 1, 11_223_456, 513_000, "2.401"],
    [18, 4, 910_176, 129_000, "1.256"],
    [34, 1, 21_331_616, 513_000, "4.250"],
    [34, 4, 1_612_640, 129_000, "1.588"],
    [50, 1, 23_554_976, 2_049_000, "4.676"],
    [50, 2, 6_146_464, 1_025_000, "2.250"],
    [50, 4, 1_767_584, 513_000, "1.618"],
    [50, 8, 659_488, 257_000, "1.447"],
    [50, 16, 375_776, 129_000, "1.397"],
    [100, 1, 44_977_312, 2_049_000, "8.169"],
  ];
  for (const [depth, compression, backboneParams, classifierParams, giga] of sizes) {
    const { base, small } = summarize({ ...OPTIONS, model: `resnet${depth}`, compression });
    const found = compression === 1 ? base : small;
    assert(found);
    assertEquals(found.backboneParams, backboneParams);
    assertEquals(found.classifierParams, classifierParams);
    assertEquals(found.params, backboneParams + classifierParams);
    assertEquals((found.macs / 1e9).toFixed(3), giga);
    if (compression === 1) assertEquals(small, base);
  }
});

Deno.test("the stem is said, as sizes depend on it, and where train takes another", () => {
  const thin = { ...OPTIONS, model: "resnet8", imageSize: 32, classes: 10 };
  const [own, authors, wide] = [
    thin,
    { ...thin, stem: "authors" as const },
    { ...OPTIONS, model: "resnet18", variant: "torchvision" as const },
  ];
  assertEquals([own, authors, wide].map((options) => summarize(options).stem), [
    ...["cifar", "authors", "torchvision"],
  ]);
  // As in the header of a run, on generated images without options.
  assertEquals([own, authors].map((options) => summarize(options).base.params), [78_042, 82_714]);
  const hint = "on generated images, train and search take --stem authors";
  assertEquals([own, authors, wide].map((options) => summaryTable(options).includes(hint)), [
    ...[true, false, false],
  ]);
  assertStringIncludes(
    summaryTable(wide),
    "torchvision's resnet18, stem torchvision, compression 4",
  );
});

/** The cells of the line that begins with a name. */
function line(table: string, name: string): string[] {
  const found = table.split("\n").find((text) => text.startsWith(`${name}  `));
  return found?.trim().split(/ {2,}/) ?? [];
}

Deno.test("the table has base and small side by side, and totals", () => {
  const table = summaryTable(OPTIONS);
  assertEquals(line(table, "layer4.2.conv2"), [
    ...["layer4.2.conv2", "7x7x512", "2,359,296", "115.6 M"],
    ...["7x7x128", "147,456", "7.225 M", "16.00x"],
  ]);
  assertEquals(line(table, "bn1"), ["bn1", "112x112x64", "128", "112x112x64", "128", "1.00x"]);
  assertEquals(line(table, "fc").slice(1, 4), ["1000", "2,049,000", "2.048 M"]);
  assertEquals(line(table, "convolutions and norms").slice(1), [
    "23,554,976",
    "1,767,584",
    "13.33x",
  ]);
  assertEquals(line(table, "multiply-accumulates").slice(1), ["4.676 G", "1.618 G", "2.89x"]);
});

Deno.test("with a shared trunk both networks take 1.05 times the base's MACs, else 1.35", () => {
  const both = (trunk: "shared" | "separate") =>
    summaryTable({ ...OPTIONS, trunk }).match(/Running both takes ([\d.]+) times/)?.[1];
  assertEquals([both("shared"), both("separate")], ["1.05", "1.35"]);
});

Deno.test("masking from stage 1 on leaves only the stem whole", () => {
  const table = summaryTable({ ...OPTIONS, maskFrom: 1 });
  assertEquals(line(table, "bn1").at(-1), "1.00x");
  assertEquals(line(table, "layer1.0.conv1").at(-1), "4.00x");
});

Deno.test("several small networks stand side by side, each with what it alone has", () => {
  const several = { ...OPTIONS, compression: [2, 4, 8] };
  const { base, ...all } = summarize(several);
  const alone = (compression: number) => summarize({ ...OPTIONS, compression }).small;
  assertEquals(all.small, undefined);
  for (const alpha of [2, 4, 8] as const) {
    assertEquals(all[`small-${alpha}`], alone(alpha));
  }
  const table = summaryTable(several);
  assertEquals(line(table, "convolutions and norms").slice(1), [
    ...["23,554,976", "6,146,464", "3.83x", "1,767,584", "13.33x", "659,488", "35.72x"],
  ]);
  assertEquals(line(table, "multiply-accumulates").slice(1), [
    ...["4.676 G", "2.250 G", "2.08x", "1.618 G", "2.89x", "1.447 G", "3.23x"],
  ]);
  assertStringIncludes(table, "compression 2, 4, 8, 1000 classes");
  assertEquals(table.split("\n")[2].trim().split(/ +/), ["base", "small-2", "small-4", "small-8"]);
  const cost = Number(table.match(/Running all takes ([\d.]+) times/)?.[1]);
  // The trunk is run once.
  assert(cost > 1 && cost < 1 + 2.25 / 4.676 + 1.618 / 4.676 + 1.447 / 4.676, `${cost}`);
  assertEquals(base, summarize(OPTIONS).base);
});

Deno.test("a compression that leaves no channel is refused", () => {
  assertThrows(() => summarize({ ...OPTIONS, compression: 200 }), RangeError, "leaves no channel");
});

const NOWHERE = fileURLToPath(new URL("../runs/never_made", import.meta.url));

async function adjoin(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const cli = fileURLToPath(new URL("../cli/main.ts", import.meta.url));
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--allow-read", "--allow-write", "--allow-env", cli, ...args],
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}

/** A test of the command line as a process. */
function commandLine(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, ignore: lacks("run", "read"), fn });
}

commandLine("summary --json prints the totals", async () => {
  const { code, out, err } = await adjoin("summary", "--model", "resnet18", "--json");
  assertEquals([code, err], [0, ""]);
  const found = JSON.parse(out);
  assertEquals(found, { ...summarize({ ...OPTIONS, model: "resnet18" }) });
  assertEquals(Object.keys(found), [
    ...["model", "variant", "stem", "compression", "maskFrom", "imageSize", "channels", "classes"],
    ...["base", "small"],
  ]);
  assertEquals(Object.keys(found.small), ["params", "backboneParams", "classifierParams", "macs"]);
});

commandLine("summary prints the table", async () => {
  const { code, out } = await adjoin("summary", "--compression", "8", "--model", "resnet8");
  assertEquals(code, 0);
  assertStringIncludes(
    out,
    "resnet8, stem cifar, compression 8, 1000 classes, 224x224 pixels, 3 channels\n",
  );
});

commandLine("--help and help print the flags and the exit codes", async () => {
  const [flags, same, all] = await Promise.all([
    adjoin("train", "--help"),
    adjoin("help", "train"),
    adjoin("--help"),
  ]);
  assertEquals([flags.code, same.code, all.code], [0, 0, 0]);
  assertEquals(flags.out, same.out);
  assertStringIncludes(flags.out, "--compression LIST");
  assertStringIncludes(flags.out, "\nexamples:\n");
  assertStringIncludes(all.out, "summary");
  for (const { out, err } of [flags, all]) {
    assertEquals(err, "");
    assertStringIncludes(out, "129  ended by SIGHUP, as when its terminal is closed\n");
  }
});

commandLine("what cannot be used is told in one line and exits with 2", async () => {
  const cases: [string[], RegExp][] = [
    [["train", "--epoch", "3"], /--epoch is no flag of train; did you mean --epochs\?/],
    [["train", "--model", "resnet9"], /--model is resnet18, .* or a file \*\.onnx, found resnet9/],
    [["summary", "--compression", "200"], /compression 200 leaves no channel/],
    [["summary", "--json", "--trunk", "shared"], /--trunk has no effect beside --json;/],
    [["trian"], /trian is no command; .*did you mean train\?/],
    [["help", "nothing"], /nothing is no command/],
  ];
  const results = await Promise.all(cases.map(([args]) => adjoin(...args)));
  results.forEach(({ code, out, err }, i) => {
    assertEquals([code, out], [2, ""]);
    assert(/^adjoin: Cannot [^\n]*\n$/.test(err) && cases[i][1].test(err), err);
  });
});

commandLine("without a command the help goes to stderr and the exit code is 2", async () => {
  const { code, out, err } = await adjoin();
  assertEquals([code, out], [2, ""]);
  assertStringIncludes(err, "commands:");
});

commandLine("data that are missing exit with 3 and leave no run folder", async () => {
  const { code, out, err } = await adjoin("train", "--dataset", "cifar10", "--output", NOWHERE);
  assertEquals([code, out], [3, ""]);
  assert(/^adjoin: Cannot open cifar10: [^\n]*\n$/.test(err), err);
  assertEquals(await Deno.stat(NOWHERE).catch(() => "none"), "none");
});
