import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { Gpu } from "../kernels/gpu.ts";
import { elements } from "../kernels/gpu/tensor.ts";
import { ConvWork, DIRECTIONS, gflop } from "../bench/conv.ts";
import { ProcessPeer } from "../bench/peer.ts";
import type { Comparison } from "../bench/comparison.ts";
import { comparisonText, withComparison } from "../bench/table.ts";
import type { Marks } from "../bench/columns.ts";
import { median } from "../data/median.ts";
import { invertedBlocks } from "../bench/peers/network.ts";
import { LARGE_TASKS, TASKS, values } from "../bench/work.ts";
import { pairOf } from "../kernels/wgsl/geometry.ts";
import { model } from "../nn/families/mod.ts";
import { isConv2d } from "../nn/layers/conv2d.ts";
import { UsageError } from "../train/errors.ts";
import { adjoinCommand } from "./command.ts";
import { lacks } from "./permissions.ts";

const commandLine = { ignore: lacks("run", "read", "write", "env") };

/** A command line's JSON: all keys, in order, and whether every number is one above 0. */
async function keysOf(line: string): Promise<{ keys: string[]; found: Record<string, unknown> }> {
  const { code, out, error } = await adjoinCommand(line.split(" "));
  assertEquals(code, 0, error);
  const keys: string[] = [];
  const found: Record<string, unknown> = JSON.parse(out, (key, value) => {
    if (key) keys.push(key);
    assert(value instanceof Object || value > 0, `${key} is ${value}`);
    return value;
  });
  return { keys, found };
}

Deno.test("bench conv --json gives time and speed of each direction", commandLine, async () => {
  const { keys, found } = await keysOf(
    "bench conv --kernel 3 --stride 2 --in 3 --out 5 --size 9 --batch 2 --repeats 1 --json",
  );
  assertEquals(Object.keys(found), ["forward", "inputGradient", "weightGradient"]);
  assertEquals(keys, Object.keys(found).flatMap((direction) => ["ms", "gflops", direction]));
});

Deno.test("bench conv --groups compares with the bandwidth of a ReLU", commandLine, async () => {
  const { found } = await keysOf(
    "bench conv --kernel 1 --in 4 --out 4 --groups 4 --size 9 --batch 2 --repeats 1 --json",
  );
  for (const speed of Object.values(found)) {
    assertEquals(Object.keys(speed ?? {}), ["ms", "gflops", "overRelu"]);
  }
});

Deno.test("bench step --json gives what a step costs", commandLine, async () => {
  const { keys, found } = await keysOf(
    "bench step --model resnet8 --mode adjoined --batch 2 --image-size 12 --compression 4 " +
      "--stem cifar --repeats 1 --beside-plain --json",
  );
  assertEquals(keys, [
    ...["ms", "imagesPerSecond", "peakBytes", "lowerBoundBytes", "dispatches", "encodeMs"],
    ...["firstStepSeconds", "idealOverPlain", "plainMs", "overPlain"],
  ]);
  const { ms, imagesPerSecond, peakBytes, lowerBoundBytes, idealOverPlain, plainMs } = found;
  assert(Number(idealOverPlain) > 1 && Number(idealOverPlain) < 1.3);
  assert(Math.abs(Number(found.overPlain) * Number(plainMs) / Number(ms) - 1) < 1e-3);
  assert(Math.abs(Number(imagesPerSecond) * Number(ms) - 2000) < 1);
  assert(Number(peakBytes) >= Number(lowerBoundBytes));
});

Deno.test(
  "bench step --mode search times a step of both networks at full width",
  commandLine,
  async () => {
    const { keys, found } = await keysOf(
      "bench step --model resnet8 --mode search --batch 2 --image-size 12 --stem cifar " +
        "--mask-from 1 --repeats 1 --beside-plain --json",
    );
    for (const key of ["ms", "plainMs", "overPlain"]) assert(keys.includes(key), key);
    // All but the stem runs twice.
    assert(Number(found.idealOverPlain) > 1.9 && Number(found.idealOverPlain) < 2);
  },
);

Deno.test("benches that cannot be are refused with exit code 2", commandLine, async () => {
  const cases: [string, RegExp][] = [
    ["bench", /^adjoin bench takes one of these words more/],
    ["bench cnov", /bench cnov is no command; .*did you mean bench conv\?/],
    ["bench conv --kernel 5 --padding 0 --size 3", /does not fit an image of 3x3/],
    ["bench conv --kernel 9", /at most 64 taps/],
    ["bench conv --batch 0", /--batch is a whole number at least 1, found 0/],
    ["bench step --compression 1000", /leaves no channel/],
    ["bench step --compression 2,4 --sandwich 2", /--sandwich is less than the 2 small networks/],
    ["bench step --mode plain --beside-plain", /--beside-plain has no effect beside --mode plain;/],
    ["bench --peers --json", /--json is no flag of bench peers/],
  ];
  const results = await Promise.all(cases.map(([line]) => adjoinCommand(line.split(" "))));
  results.forEach(({ code, out, error }, i) => {
    assertEquals([code, out], [2, ""], error);
    assertMatch(error, cases[i][1]);
  });
});

Deno.test("what is timed is the convolution and its gradients", async () => {
  const gpu = await Gpu.open();
  try {
    const shape = { kernel: 3, stride: 2, padding: 1, in: 3, out: 5, size: 7, batch: 2 };
    const drawn = {
      forward: values(elements([2, 4, 4, 5]), 2),
      inputGradient: values(elements([2, 7, 7, 3]), 0),
      weightGradient: values(elements([3, 3, 3, 5]), 1),
    };
    // <dy, y> = <dx, x> = <dw, w>, as y is linear in x and in w.
    const products: number[] = [];
    for (const direction of DIRECTIONS) {
      using scope = gpu.scope();
      const result = await new ConvWork(scope, shape, { direction }).result();
      assertEquals(result.length, drawn[direction].length);
      products.push(drawn[direction].reduce((sum, value, i) => sum + value * result[i], 0));
    }
    for (const product of products) assert(Math.abs(product - products[0]) < 1e-4, `${products}`);
    assertEquals(gflop(shape), 2 * 2 * 4 * 4 * 5 * 9 * 3 / 1e9);
  } finally {
    gpu.destroy();
  }
});

Deno.test("the median is the middle, or between the middle two", () => {
  assertEquals(median([3, 1, 2]), 2);
  assertEquals(median([10, 1, 4, 2]), 3);
});

Deno.test("drawn numbers are spread evenly, and differ by seed", () => {
  const drawn = values(10000, 3);
  const mean = drawn.reduce((sum, value) => sum + value, 0) / drawn.length;
  const square = drawn.reduce((sum, value) => sum + value ** 2, 0) / drawn.length;
  assert(Math.abs(mean) < 0.01 && Math.abs(square - 1 / 12) < 0.002, `${mean}, ${square}`);
  assert(drawn.every((value) => value >= -0.5 && value < 0.5));
  assert(values(10, 4).some((value, i) => value !== drawn[i]));
});

Deno.test("the MobileNetV2 of the other libraries is the model of that name", () => {
  const steps = [...TASKS, ...LARGE_TASKS].filter((task) => task.kind === "step");
  const inverted = steps.filter((task) => task.blocks === "inverted");
  assertEquals(inverted.map(({ model, size }) => `${model} @${size}`), [
    "mobilenetv2_100 @64",
    "mobilenetv2_100 @224",
  ]);
  for (const task of inverted) {
    const blocks = invertedBlocks(task);
    const [first, last] = [task.stemWidth, blocks[blocks.length - 1].out];
    const shape = (kernel: number, inputs: number, out: number, stride: number, groups = 1) => ({
      weight: [kernel, kernel, inputs / groups, out],
      stride,
    });
    const theirs = [
      shape(3, 3, first, 2),
      ...blocks.flatMap(({ in: inputs, inner, out, stride }) => [
        ...inner === inputs ? [] : [shape(1, inputs, inner, 1)],
        shape(3, inner, inner, stride, inner),
        shape(1, inner, out, 1),
      ]),
      shape(1, last, task.headWidth, 1),
    ];
    const { layers } = model(task.model, { classes: task.classes });
    const ours = layers.filter(isConv2d).map(({ kernel, in: inputs, out, stride, groups = 1 }) => ({
      weight: [...pairOf(kernel), inputs / groups, out],
      stride,
    }));
    assertEquals(theirs, ours);
    const sums = blocks.filter(({ in: inputs, out, stride }) => stride === 1 && inputs === out);
    assertEquals(layers.filter(({ kind }) => kind === "add").length, sums.length);
  }
});

const COMPARISON: Comparison = {
  peers: [
    { name: "adjoin", version: "1.2.3", device: "a GPU" },
    { name: "other", version: "4.5.6", device: "a | GPU" },
    { name: "third", note: "not\ninstalled" },
  ],
  rows: [
    { task: TASKS[0], outcomes: [{ times: [90, 100, 130] }, { times: [50] }, { note: "missing" }] },
    {
      task: TASKS[TASKS.length - 1],
      outcomes: [{ times: [320] }, { times: [1000, 3000], off: 0.00234 }, { note: "missing" }],
    },
  ],
  repeats: 3,
  flags: "--repeats 3",
};

Deno.test("the peers' table has speeds, times and how many times ours they are", () => {
  const text = comparisonText(COMPARISON);
  assertMatch(text, /^`deno task bench peers --repeats 3`; Deno .*; medians of 3\.\n/);
  assertMatch(
    text,
    /\| 3x3 64->64 @32, forward +\| 100 ms, 24\.2 GFLOP\/s +\| 50\.0 ms, 0\.500x +\|/,
  );
  assertMatch(
    text,
    /\| 320 ms, 100 images\/s +\| 2000 ms, 6\.25x, result 0\.23 % off +\|\n?/,
  );
  assertMatch(text, /\| third +\| +\| missing: not installed +\|/);
  // What is missing has no column.
  assertMatch(text, /\| work +\| adjoin +\| other +\|\n/);
});

Deno.test("what people run has a table of its own, before that of others", () => {
  const hello = (name: string, marks: Marks) => ({ name, version: "1", device: "a GPU", marks });
  const [convolution] = TASKS;
  const step = LARGE_TASKS[0];
  const text = comparisonText({
    peers: [
      hello("adjoin float32", { kind: "ours" }),
      { name: "adjoin on Dawn", note: "not installed", marks: { kind: "ours" } },
      hello("adjoin mixed", { kind: "ours", rounded: true }),
      hello("A", { kind: "usual", against: "TF32" }),
      hello("B", { kind: "usual", against: "autocast" }),
      hello("C", { kind: "usual" }),
      hello("other", {}),
    ],
    rows: [
      {
        task: step,
        outcomes: [
          { times: [60], bytes: 2 ** 31 },
          { note: "missing" },
          { times: [30], off: 0.02, bytes: 2 ** 30 },
          ...[20, 40, 10, 90].map((ms) => ({ times: [ms] })),
        ],
      },
      {
        task: convolution,
        outcomes: [
          ...[[2.4], [0], [1.2], [0.8], [0.6]].map((times) => ({ times })),
          { note: "steps only" },
          { times: [24] },
        ],
      },
    ],
    repeats: 1,
    flags: "--large",
  });
  const tables = text.split("\n\n").slice(2).map((table) =>
    table.split("\n").map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()))
  );
  assertEquals(tables, [
    [
      ["work", "A", "B", "C", "adjoin float32", "adjoin mixed"],
      tables[0][1],
      [step.name, "20.0 ms", "40.0 ms", "10.0 ms"]
        .concat("60.0 ms, 3.00x TF32, 1.50x autocast")
        .concat("30.0 ms, 1.50x TF32, 0.750x autocast, result 2.0 % off"),
      [convolution.name, "0.800 ms, 3.02 TFLOP/s", "0.600 ms, 4.03 TFLOP/s", "steps only"]
        .concat("2.40 ms, 1.01 TFLOP/s, 3.00x TF32, 4.00x autocast")
        .concat("1.20 ms, 2.01 TFLOP/s, 1.50x TF32, 2.00x autocast"),
    ],
    [
      tables[0][0],
      tables[1][1],
      [`memory of the ${step.name}`, "", "", "", "2.00 GiB", "1.00 GiB"],
    ],
    [
      ["work", "adjoin float32", "other"],
      tables[2][1],
      [step.name, "60.0 ms, 4267 images/s", "90.0 ms, 1.50x"],
      [convolution.name, "2.40 ms, 1.01 TFLOP/s", "24.0 ms, 10.0x"],
    ],
  ]);
});

Deno.test("the peers' table replaces the last one, and nothing else", () => {
  const file = "above\n\n<!-- peers: written by `deno task bench peers` -->\n" +
    "<!-- /peers -->\n\nbelow\n";
  const once = withComparison(file, "text");
  assertEquals(withComparison(once, "text"), once);
  assertEquals(withComparison(withComparison(file, "other"), "text"), once);
  assertMatch(once, /^above\n\n<!-- peers.* -->\n\ntext\n\n<!-- \/peers -->\n\nbelow\n$/);
  assertThrows(() => withComparison("no marks", "text"), UsageError, "found not both");
  const both =
    `${file}<!-- large: written by \`deno task bench peers --large\` -->\n<!-- /large -->\n`;
  assertEquals(withComparison(both, "text", true).startsWith(file), true);
  assertMatch(withComparison(both, "text", true), /--large` -->\n\ntext\n\n<!-- \/large -->\n$/);
});

Deno.test("the peers' table is formatted as deno fmt would", commandLine, async () => {
  const file = await Deno.readTextFile(new URL("../BENCHMARKS.md", import.meta.url));
  const text = withComparison(file, comparisonText(COMPARISON));
  const path = await Deno.makeTempFile({ suffix: ".md" });
  try {
    await Deno.writeTextFile(path, text);
    const args = ["fmt", "--no-config", "--line-width=100", "--prose-wrap=preserve", path];
    await new Deno.Command(Deno.execPath(), { args }).output();
    assertEquals(await Deno.readTextFile(path), text);
  } finally {
    await Deno.remove(path);
  }
});

Deno.test(
  "a peer is asked line by line, and its last words are its reason",
  commandLine,
  async () => {
    const start = (script: string, ...programs: string[]) =>
      ProcessPeer.start(
        { name: "fake", programs, args: ["eval", script] },
        new URL(".", import.meta.url),
      );
    const script = `
    console.log("a banner");
    console.log(JSON.stringify({ name: "fake", version: "1", device: "none" }));
    for await (const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
      const { do: what } = JSON.parse(text);
      console.log(JSON.stringify(what === "run" ? { ms: 5 } : { error: "cannot" }));
    }`;
    const peer = await start(script, "no-such-program", Deno.execPath());
    assert(peer.alive);
    assertEquals([peer.name, peer.version, peer.device], ["fake", "1", "none"]);
    assertEquals(await peer.run(), 5);
    await assertRejects(() => peer.prepare(TASKS[0]), Error, "cannot");
    await peer.close();
    const silent = await start(
      `console.log(JSON.stringify({ name: "fake" })); setTimeout(() => {}, 1e6);`,
      Deno.execPath(),
    );
    await assertRejects(() => silent.run(200), Error, "no answer within 0.2 s");
    assert(!silent.alive);
    await silent.close();
    const ends = 'console.error("last words"); Deno.exit(1);';
    await assertRejects(() => start(ends, Deno.execPath()), Error, "last words");
  },
);
