// Options that would do nothing are refused or said, wherever that shows.
import { assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { adjoin } from "../nn/compress/adjoin.ts";
import { model } from "../nn/families/mod.ts";
import { readArguments } from "../cli/arguments.ts";
import { trainRequest } from "../cli/options.ts";
import { demandMaskedTaps, demandWarmup, isWhole } from "../train/effect.ts";
import { EXIT } from "../cli/exit.ts";
import { UsageError } from "../train/errors.ts";
import { adjoinCommand } from "./command.ts";
import { lacks } from "./permissions.ts";

const commandLine = { ignore: lacks("read", "write", "run", "env") };

function complaint(line: string): string {
  const args = line.split(" ");
  return assertThrows(() => trainRequest(readArguments("train", args)), UsageError).message;
}

Deno.test("numbers that are nothing on a GPU are refused", () => {
  for (const name of ["lr", "weight-decay", "smoothing", "momentum --sched cosine", "decay-rate"]) {
    const [flag, ...beside] = name.split(" ");
    const line = [...beside, `--${flag}`, "1e-50"].join(" ");
    const other = flag === "decay-rate" ? "--sched step " : "";
    assertMatch(
      complaint(other + line),
      new RegExp(`--${flag} is .*, found 1e-50, which is 0 in 32 bits`),
    );
  }
  assertStringIncludes(complaint("--lr 1e39"), "found 1e39, which is Infinity in 32 bits");
  assertStringIncludes(complaint("--smoothing 0.999999999"), "which is 1 in 32 bits");
  assertEquals(readArguments("train", ["--lr", "1e-37"]).values.lr, 1e-37);
  assertEquals(readArguments("train", ["--weight-decay", "0"]).values.weightDecay, 0);
});

Deno.test("Nesterov's momentum is refused where there is none", () => {
  assertStringIncludes(
    complaint("--opt sgd --momentum 0 --nesterov"),
    "--nesterov has no effect beside --momentum 0",
  );
});

Deno.test("a masking factor that zeroes no tap is refused", () => {
  const base = model("resnet8", { classes: 10 });
  const masked = (maskingFactor: number) =>
    adjoin(base, { compression: 4, maskingFactor, random: () => 0.5 });
  demandMaskedTaps({ maskingFactor: 0 }, masked(0));
  demandMaskedTaps({ maskingFactor: 0.112 }, masked(0.112));
  const { message } = assertThrows(
    () => demandMaskedTaps({ maskingFactor: 0.05 }, masked(0.05)),
    RangeError,
  );
  assertEquals(
    message,
    "Cannot mask taps: a part of 0.05 is less than one tap of a 3x3 kernel; raise maskingFactor to " +
      "at least 0.112 or leave out maskingFactor",
  );
});

Deno.test("a warm-up of less than half a step is refused", () => {
  demandWarmup({ warmupEpochs: 0, sched: "step" }, 10);
  demandWarmup({ warmupEpochs: 0.05, sched: "step" }, 10);
  assertThrows(
    () => demandWarmup({ warmupEpochs: 0.04, sched: "step" }, 10),
    RangeError,
    "0.04 epochs are less than half a step, an epoch has 10; raise warmupEpochs to at least 0.10",
  );
});

Deno.test("a small network that is all of the base is told from one that is less", () => {
  const base = model("resnet8", { classes: 10 });
  assertEquals(isWhole(adjoin(base, { compression: 1 })), true);
  assertEquals(isWhole(adjoin(base, { compression: 1.0001 })), false);
});

Deno.test("train refuses or says what would do nothing", commandLine, async () => {
  const tiny = "--epochs 2 --train-size 16 --val-size 16 --batch-size 16";
  const dir = await Deno.makeTempDir();
  try {
    const cases = [
      `--masking-factor 0.05 --output ${dir}/a`,
      `--sched step --warmup-epochs 0.01 --output ${dir}/b`,
      `--compression 1 --output ${dir}/c`,
    ];
    const [masking, warmup, whole] = await Promise.all(
      cases.map((line) => adjoinCommand(`train ${tiny} ${line}`.split(" "))),
    );
    assertEquals([masking.code, warmup.code, whole.code], [EXIT.usage, EXIT.usage, EXIT.ok]);
    assertStringIncludes(
      masking.error,
      "raise --masking-factor to at least 0.112 or leave out --m",
    );
    assertStringIncludes(warmup.error, "raise --warmup-epochs to at least 1.0 or leave out");
    assertStringIncludes(whole.out, "as wide as the base network: nothing is removed");
    assertEquals([...Deno.readDirSync(dir)].map(({ name }) => name), ["c"]);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
