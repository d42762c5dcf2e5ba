import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { DataError } from "../data/error.ts";
import { readArguments } from "../cli/arguments.ts";
import { UsageError } from "../train/errors.ts";
import { trainRequest } from "../cli/options.ts";
import { readAllWidths } from "../cli/run/widths_files.ts";
import { encodeWidths, parseWidths, type WidthsFile } from "../export/widths_file.ts";
import { drawWidths } from "../cli/report/widths_picture.ts";
import { lacks } from "./permissions.ts";

const FILE: WidthsFile = {
  model: "resnet14",
  stem: "cifar",
  variant: "xresnet",
  trunk: "separate",
  maskFrom: 1,
  divisors: [1, 2, 4],
  budgeted: "macs",
  budget: 0.5,
  found: 0.498,
  widths: { "layer1.0.conv1": 8, "layer1.0.conv2": 16 },
};

Deno.test("widths are read as they were written, with what they were found for", () => {
  const { model, stem, variant, trunk, maskFrom, widths } = FILE;
  assertEquals(parseWidths(encodeWidths(FILE), "widths.json"), {
    ...{ model, stem, variant, trunk, maskFrom, widths },
  });
  assertEquals(parseWidths(JSON.stringify(widths), "by hand"), { widths });
  const filters = { "layer1.0.conv1": [0, 5, 3], "layer1[ 1 ]": 16 };
  const text = encodeWidths({ model, trunk, maskFrom, widths: filters });
  assertStringIncludes(text, '"layer1.0.conv1": [0, 5, 3],\n');
  assertEquals(parseWidths(text, "w"), { model, trunk, maskFrom, widths: filters });
});

const WANTED = 'wanted an object of widths by convolution, as {"layer2.0.conv1": 8}';

const FILTERS = "the filters of a are different whole numbers from 0 on, at least one";

/** A file with another value of one field. */
function field(name: string, value: unknown): string {
  return JSON.stringify({ ...FILE, [name]: value });
}

Deno.test("a model that there is not is refused, with the nearest", () => {
  const { message } = assertThrows(() => parseWidths(field("model", "resnet9"), "w"), DataError);
  assertEquals(message.includes('found "resnet9"; did you mean resnet8?'), true, message);
});

Deno.test("a mark of byte order is no part of the widths, and any name is one", () => {
  const names = ["a", "constructor", "toString", "hasOwnProperty"];
  const text = `\ufeff{${names.map((name) => `"${name}":8`).join()}}`;
  assertEquals(Object.keys(parseWidths(text, "w").widths), names);
});

Deno.test("messages about widths are bounded, and have no control characters", () => {
  const { message } = assertThrows(
    () => parseWidths(JSON.stringify({ ["\x1b" + "a".repeat(1e6)]: ["b".repeat(1e6)] }), "w"),
    DataError,
  );
  assertEquals([message.length < 500, message.includes("\x1b")], [true, false]);
});

Deno.test("a file without widths is refused in one sentence", () => {
  for (
    const [text, what] of [
      ["{", "wanted JSON"],
      ['{"a": 8,\n "b": 8,\n}', "wanted JSON, found a comma before a bracket in line 2"],
      ["<!doctype html>", "wanted JSON, found a web page"],
      ["[]", WANTED],
      ["[8, 16]", `${WANTED}, found a list`],
      ["{}", WANTED],
      ["8", WANTED],
      ['{"widths": {}}', WANTED],
      ['{"model": "resnet8"}', WANTED],
      ['{"model": "resnet8", "widths": [8, 16]}', `${WANTED}, found a list`],
      [
        '{"widths": {"a": 0}}',
        "the width of a is a whole number from 1 on, or a list of filters, found 0",
      ],
      ['{"a": 2.5}', "the width of a is a whole number from 1 on, or a list of filters, found 2.5"],
      ['{"a": []}', `${FILTERS}, found []`],
      ['{"a": [1, 1]}', `${FILTERS}, found [1,1]`],
      ['{"a": [-1]}', `${FILTERS}, found [-1]`],
      ['{"a": [0.5]}', `${FILTERS}, found [0.5]`],
      ['{"a": ["1"]}', `${FILTERS}, found ["1"]`],
      ['{"a": [[1]]}', `${FILTERS}, found [[1]]`],
      ['{"a": "8"}', 'the width of a is a whole number from 1 on, or a list of filters, found "8"'],
      [
        '{"layer2.0.bn1": 4}',
        "layer2.0.bn1 is a norm, as wide as the convolution before it; name layer2.0.conv1",
      ],
      ['{"fc": 4}', "fc is the classifier, as wide as there are classes; leave it out"],
      [
        '{"layer2.0.conv1.weight": 4}',
        "layer2.0.conv1.weight is a tensor; name its layer layer2.0.conv1",
      ],
      [
        field("trunk", "Separate"),
        'trunk is shared or separate, found "Separate"; did you mean separate?',
      ],
      [field("trunk", true), "trunk is shared or separate, found true"],
      [
        field("variant", "TorchVision"),
        'variant is xresnet or torchvision, found "TorchVision"; did you mean torchvision?',
      ],
      [field("stem", "imagenet"), 'stem is authors or cifar, found "imagenet"'],
      [field("stem", null), "stem is authors or cifar, found null"],
      [field("maskFrom", "2"), 'maskFrom is a whole number from 1 on, found "2"'],
      [field("maskFrom", 0), "maskFrom is a whole number from 1 on, found 0"],
      [field("trunks", "shared"), "trunks is no field of it; did you mean trunk?"],
      [field("mask_from", 2), "mask_from is no field of it; did you mean maskFrom?"],
      ['{"model": "resnet8", "width": {"a": 8}}', "width is no field of it; did you mean widths?"],
    ]
  ) {
    const { message } = assertThrows(() => parseWidths(text, "w.json"), DataError);
    assertEquals(
      message,
      `Cannot read widths from w.json: ${what}; search writes such files`,
    );
  }
});

Deno.test(
  "a file that is not there is refused by its name",
  { ignore: lacks("read") },
  async () => {
    await assertRejects(
      () => readAllWidths("/nowhere/widths.json"),
      DataError,
      "found no file /nowhere/widths.json",
    );
  },
);

Deno.test("train takes model, stem, trunk and mask-from of the file, unless flags say otherwise", () => {
  const given = parseWidths(encodeWidths(FILE), "widths.json");
  const options = (line: string) =>
    trainRequest(readArguments("train", line.split(" ").filter((word) => word)), given).options;
  const found = options("");
  const { model, stem, variant, trunk, maskFrom, widths, compression } = found;
  assertEquals(
    { model, stem, variant, trunk, maskFrom, widths },
    { ...given },
  );
  // Convolutions that are masked but not named stay whole.
  assertEquals(compression, 1);
  const other = options("--model resnet20 --trunk shared");
  assertEquals([other.model, other.trunk, other.maskFrom], ["resnet20", "shared", 1]);
  assertThrows(
    () => options("--widths a --compression 4"),
    UsageError,
    "--compression has no effect beside --widths; leave one of them out",
  );
});

Deno.test("the picture has a bar for each convolution, and says cost and budget", {
  ignore: lacks("read", "env"),
}, async () => {
  const svg = await drawWidths(FILE, { "layer1.0.conv1": 16, "layer1.0.conv2": 16 });
  for (
    const text of [
      "resnet14: 49.8 % of the multiply-accumulates, budget 50.0 %",
      "layer1.0.conv1",
      "8 of 16",
      "16 of 16",
    ]
  ) assertEquals(svg.includes(text), true, text);
  assertEquals(svg.startsWith("<svg"), true);
});
