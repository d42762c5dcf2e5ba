import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { walk } from "@std/fs";
import { fileURLToPath } from "node:url";
import { curable, cure, isCurable } from "../data/cure.ts";
import { TrainingBatches } from "../data/batches.ts";
import { take } from "../data/dataset.ts";
import { DataError } from "../data/error.ts";
import { generatedSplit } from "../data/generated.ts";
import { Gpu } from "../kernels/gpu.ts";
import { adjoin } from "../nn/compress/adjoin.ts";
import { model } from "../nn/families/mod.ts";
import { searchable } from "../nn/compress/searchable.ts";
import { EXIT } from "../cli/exit.ts";
import { errorMessage } from "../cli/error_message.ts";
import { adjoinCommand } from "./command.ts";
import { lacks } from "./permissions.ts";

const commandLine = { ignore: lacks("read", "write", "run", "env") };

/** What is told of an error, after a line was typed. */
function told(fail: () => unknown, line: string): string {
  return errorMessage(assertThrows(fail), line.split(" "));
}

Deno.test("errors of the library name flags on the command line", () => {
  const base = model("resnet8", { classes: 10 });
  const late = () => adjoin(base, { compression: 4, maskFrom: 9 });
  const search = () => searchable(base, { maskFrom: 9, divisors: [1, 2] });
  for (const command of ["train", "summary", "search"]) {
    assertEquals(told(late, command), "Cannot adjoin: no convolution is masked; lower --mask-from");
  }
  assertMatch(told(search, "search"), /no convolution is masked; lower --mask-from$/);
  assertStringIncludes(
    told(() => adjoin(base, { compression: 1, widths: { conv1: 3 } }), "train"),
    "which is not masked; lower --mask-from or leave it out",
  );
  assertMatch(
    told(() => adjoin(base, { compression: 64 }), "train"),
    /which has \d+; lower --compression to at most \d+$/,
  );
  const { train, validation } = generatedSplit({ train: 3, validation: 2, size: 12, seed: 0 });
  assertMatch(
    told(() => new TrainingBatches({ dataset: train, batch: 1e12, seed: 0 }), "train"),
    /^Cannot make batches of \d+ images: generated train has 3; lower --batch-size to at most that$/,
  );
  assertMatch(told(() => take(train, 4), "train"), /it has 3; lower --train-size to at most 3$/);
  assertMatch(
    told(() => take(validation, 4), "eval a"),
    /it has 2; lower --val-size to at most 2$/,
  );
  const other = () => model("resnet8", { classes: 10, variant: "torchvision" });
  assertMatch(told(other, "train"), /take one of them or take --variant xresnet$/);
});

Deno.test("errors of the library name its own options, and carry them", () => {
  const base = model("resnet8", { classes: 10 });
  const error = assertThrows(() => adjoin(base, { compression: 64 }));
  assert(isCurable(error) && error instanceof RangeError);
  assertEquals(error.option, "compression");
  assertMatch(error.problem, /^Cannot adjoin: compression 64 leaves .* has \d+$/);
  assertEquals(error.message, `${error.problem}; lower compression to at most 32`);
});

Deno.test("cures that a command has no flags for are left out, but never all", () => {
  const [lower, add] = [cure`lower ${{ option: "maskFrom" }}`, cure`add ${{ option: "init" }}`];
  const error = curable(RangeError, "Cannot", lower, add, cure`sleep`);
  assertEquals(errorMessage(error, ["train"]), "Cannot; lower --mask-from, add --init or sleep");
  assertEquals(errorMessage(error, ["summary"]), "Cannot; lower --mask-from or sleep");
  assertEquals(errorMessage(error, ["parity"]), "Cannot; sleep");
  assertEquals(
    errorMessage(curable(RangeError, "Cannot", lower), ["parity"]),
    "Cannot; lower maskFrom",
  );
});

Deno.test("what is no option, or no command, is told as it is", () => {
  const late = new RangeError("Cannot adjoin: no convolution is masked; lower maskFrom");
  assertEquals(errorMessage(late, []), late.message);
  assertEquals(errorMessage(late, ["parity", "dir"]), late.message);
  const data = "wanted dataDir in config.json";
  assertEquals(errorMessage(new DataError(data), ["export", "run"]), data);
  assertEquals(errorMessage("text", ["train"]), "text");
});

Deno.test("memory that the GPU does not have is told with the flags to lower", async () => {
  const gpu = await Gpu.open();
  try {
    const large = () => gpu.takeBuffer("values", 2 ** 50);
    assertMatch(
      told(large, "train"),
      /the limit of .* is \d+; lower --batch-size, lower --image-size or take a smaller --model$/,
    );
    assertMatch(
      errorMessage(assertThrows(large), ["bench step"]),
      /; lower --batch, lower --image-size or take a smaller --model$/,
    );
    assertMatch(
      errorMessage(assertThrows(large), ["bench conv"]),
      /; lower --batch or lower --size$/,
    );
  } finally {
    gpu.destroy();
  }
});

Deno.test(
  "memory that there is not is told with the flag that asks for it",
  commandLine,
  async () => {
    const cannot = "adjoin: Cannot take the memory for this: wanted sizes that fit, found ";
    const cases: [string, string][] = [
      ["train --train-size 100000000000", "--train-size 100000000000; lower --train-size"],
      ["search --budget-macs 0.8 --val-size 1e12", "--val-size 1000000000000; lower --val-size"],
      ["bench step --image-size 10000000", "--image-size 10000000; lower --image-size"],
      ["bench step --batch-size 100000000000", "--batch 100000000000; lower --batch"],
      [
        "bench conv --size 100000000 --in 1000000",
        "--in 1000000 --size 100000000; lower --in or --size",
      ],
    ];
    const results = await Promise.all(cases.map(([line]) => adjoinCommand(line.split(" "))));
    results.forEach(({ code, out, error }, i) => {
      assertEquals([code, out, error], [EXIT.usage, "", `${cannot}${cases[i][1]}\n`]);
    });
    assert(
      errorMessage(new RangeError("Invalid array length"), ["train"]).endsWith(
        "found the defaults; lower --val-size, --train-size, --image-size or --batch-size",
      ),
    );
  },
);

/** Rooms of the library, whose errors call options by their own names. */
const LIBRARY = ["data", "export", "kernels", "library", "nn", "train"];

/** What begins like a flag of ours in strings of a file, and is none of Deno's or of setup.sh. */
function flagsIn(source: string): string[] {
  const code = source.replace(/\/\*(?!\s*wgsl)[^]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
  return code.split("\n").flatMap((line) => line.match(/[ `"]--[a-z][a-z-]+/g) ?? [])
    .map((flag) => flag.slice(1)).filter((flag) => !/^--(allow-\w*|all|lock)$/.test(flag));
}

Deno.test(
  "errors of the library name options as it has them",
  { ignore: lacks("read") },
  async () => {
    const root = fileURLToPath(new URL("../", import.meta.url));
    const found: string[] = [];
    for (const room of LIBRARY) {
      for await (const { path } of walk(`${root}${room}`, { exts: [".ts"], includeDirs: false })) {
        const file = path.slice(root.length);
        // Help texts are of the command line.
        if (file.startsWith("train/options/")) continue;
        for (const flag of flagsIn(Deno.readTextFileSync(path))) found.push(`${file} ${flag}`);
      }
    }
    assertEquals(found, []);
    const source = 'throw new Error(`pass --teacher`);\n// --a\n/** `--b` */ "--allow-read"';
    assertEquals(flagsIn(source), ["--teacher"]);
  },
);
