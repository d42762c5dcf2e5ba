import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { TrainingBatches } from "../data/batches.ts";
import { take } from "../data/dataset.ts";
import { DataError } from "../data/error.ts";
import { generatedSplit } from "../data/generated.ts";
import { Gpu } from "../kernels/gpu.ts";
import { adjoin } from "../nn/compress/adjoin.ts";
import { model } from "../nn/resnet.ts";
import { searchable } from "../nn/compress/searchable.ts";
import { EXIT } from "../train/errors.ts";
import { tell } from "../cli/tell.ts";
import { adjoinCommand } from "./command.ts";
import { lacks } from "./permissions.ts";

const commandLine = { ignore: lacks("read", "write", "run", "env") };

/** What is told of an error, after a line was typed. */
function told(fail: () => unknown, line: string): string {
  return tell(assertThrows(fail), line.split(" "));
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
  assertMatch(told(() => take(train, 4), "train"), /it has 3; lower --train-size to 3$/);
  assertMatch(told(() => take(validation, 4), "eval a"), /it has 2; lower --val-size to 2$/);
  const other = () => model("resnet8", { classes: 10, variant: "torchvision" });
  assertMatch(told(other, "train"), /take one of them, or --variant xresnet$/);
});

Deno.test("what is no option, or no command, is told as it is", () => {
  const late = new RangeError("Cannot adjoin: no convolution is masked; lower maskFrom");
  assertEquals(tell(late, []), late.message);
  assertEquals(tell(late, ["parity", "dir"]), late.message);
  const data = "wanted dataDir in config.json";
  assertEquals(tell(new DataError(data), ["export", "run"]), data);
  assertEquals(tell("text", ["train"]), "text");
});

Deno.test("memory that the GPU does not have is told with the flags to lower", async () => {
  const gpu = await Gpu.open();
  try {
    const large = () => gpu.takeBuffer("values", 2 ** 50);
    assertMatch(
      told(large, "train"),
      /the limit of .* is \d+; lower --batch-size, or take a smaller --model$/,
    );
    assertMatch(
      tell(assertThrows(large), ["bench step"]),
      /; lower --batch or --image-size, or take a smaller --model$/,
    );
    assertMatch(tell(assertThrows(large), ["bench conv"]), /; lower --size or --batch$/);
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
      tell(new RangeError("Invalid array length"), ["train"]).endsWith(
        "found the defaults; lower --val-size, --train-size or --batch-size",
      ),
    );
  },
);
