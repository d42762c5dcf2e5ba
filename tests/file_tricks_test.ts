// Files that are made to mislead are refused by name: one test for each kind of trick.
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { parseImagesConfig } from "../cli/run/images_config.ts";
import { resumedOptions } from "../cli/resumed_options.ts";
import { holdsRun } from "../cli/run/holds_run.ts";
import { parseLatencies } from "../cli/run/latency_cache.ts";
import { parseTiles } from "../cli/run/tile_cache.ts";
import { readClassNames } from "../data/class_names.ts";
import { checkDataset } from "../data/dataset.ts";
import { DataError } from "../data/error.ts";
import { parseIdx } from "../data/idx.ts";
import { readIdx } from "../data/idx_file.ts";
import { parseJson } from "../data/json.ts";
import { Random } from "../data/random.ts";
import { encodeSafetensors, parseSafetensors, type TensorToStore } from "../data/safetensors.ts";
import { checkClasses } from "../data/sets/picture_files.ts";
import { encodeCheckpoint, parseCheckpoint } from "../export/checkpoint.ts";
import { parseOnnxInfo } from "../export/onnx.ts";
import { encodeModel } from "../export/onnx_schema.ts";
import { parseWidths } from "../export/widths_file.ts";
import { Choices } from "../kernels/conv/choices.ts";
import { adjoin } from "../nn/compress/adjoin.ts";
import { count } from "../nn/count.ts";
import { network } from "../nn/network.ts";
import { KIND_NAMES } from "../nn/layers/mod.ts";
import { parseNetwork } from "../nn/network_json.ts";
import { model } from "../nn/families/mod.ts";
import { encodeTrainingState, parseTrainingState } from "../train/resume/training_state.ts";
import { UsageError } from "../train/errors.ts";
import { withFolder } from "./folder.ts";
import { withHeader, withMetadata } from "./file_tricks.ts";
import { gzip, idx } from "./idx_files.ts";
import { lacks } from "./permissions.ts";
import { stateOfRun } from "./run_states.ts";
import { checkpointOf, NETWORKS } from "./saved_networks.ts";
import { meterAllocations } from "./torture/allocation.ts";

const ignore = lacks("read", "write");

function refuses(read: () => unknown, says: string): void {
  const { message } = assertThrows(read, DataError);
  assertEquals(message, says);
}

/** A header of tensors of bytes: name, shape, begin, end. */
function headerOf(...tensors: [string, number[], number, number][]): string {
  return `{${
    tensors.map(([name, shape, begin, end]) =>
      `"${name}":{"dtype":"U8","shape":[${shape}],"data_offsets":[${begin},${end}]}`
    ).join()
  }}`;
}

const network4 = NETWORKS["of pools with gaps"];
const saved = (() => {
  const { network, state, ...info } = checkpointOf(network4);
  return parseSafetensors(encodeCheckpoint(network, state, info));
})();

/** A checkpoint with other metadata. */
function checkpoint(change: Readonly<Record<string, string | undefined>>): () => unknown {
  return () => parseCheckpoint(withMetadata(saved, change), "it");
}

Deno.test("parseJson() gives what JSON.parse() does, and refuses a key that an object has twice", () => {
  const texts = [
    '{"a":{"a":1,"b":[{"a":1},{"a":2}]},"b":"a\\": {","\\u0061b":"\\\\"}',
    ' [ {} , "a" , "a" , {"a" :1 , "A": {"a":"}"}} ] ',
    '"__proto__"',
    "3",
    `${"[".repeat(1e5)}${"]".repeat(1e5)}`,
    `${'{"a":'.repeat(1e5)}1${"}".repeat(1e5)}`,
  ];
  for (const text of texts) {
    const found = parseJson(text);
    if (text.length < 1000) assertEquals(found, JSON.parse(text));
  }
  const cases = [
    ['{"a":1,"a":2}', 'the key "a" twice'],
    ['[{"b":{"a":1,"\\u0061" : 2}}]', 'the key "a" twice'],
    ['{"a\\"b":1,"x":{"a":1},"a\\u0022b":[]}', 'the key "a"b" twice'],
    ['{"":1,"":1}', 'the key "" twice'],
    ['{"x":{"__proto__":{"shape":[1]}}}', 'the key "__proto__", which no object may have'],
    ['{"\\u005f_proto__":1}', 'the key "__proto__", which no object may have'],
  ];
  for (const [text, says] of cases) {
    assertEquals(assertThrows(() => parseJson(text), SyntaxError).message, says);
  }
  for (const text of ['{"a":1', "{a:1}", "", "\ufeff{}"]) {
    assertThrows(() => parseJson(text), SyntaxError);
  }
});

Deno.test("a key that JSON has twice is refused by its name in every file", () => {
  const twice = '{"a":1,"a":2}';
  refuses(
    () => parseSafetensors(withHeader(headerOf(["w", [1], 0, 1], ["w", [1], 1, 2]), 2), "it"),
    'Cannot read it as its header has the key "w" twice.',
  );
  refuses(
    () => parseSafetensors(withHeader('{"__metadata__":{"k":"1","k":"2"}}'), "it"),
    'Cannot read it as its header has the key "k" twice.',
  );
  refuses(
    () => parseWidths('{"layer2.0.conv1":8,"layer2.0.conv1":9}', "it"),
    'Cannot read widths from it: wanted JSON, found the key "layer2.0.conv1" twice; search writes ' +
      "such files",
  );
  refuses(
    () => parseImagesConfig('{"dataset":"generated","seed":1,"seed":2}', "it"),
    'Cannot open the images of a run: wanted it, which names them, found the key "seed" twice; ' +
      "leave the file with the network in its run folder",
  );
  refuses(
    () => parseTiles(`{"a GPU":${twice}}`),
    'Cannot read tiles: wanted JSON, found the key "a" twice',
  );
  refuses(
    checkpoint({ network: '{"channels":3,"channels":3,"layers":[]}' }),
    'Cannot read the network in it: wanted JSON, found the key "channels" twice',
  );
  refuses(
    checkpoint({ network: undefined, architecture: '{"model":"resnet8","model":"resnet8"}' }),
    'Cannot load it: the architecture in its metadata has the key "model" twice',
  );
  const state = withMetadata({ tensors: new Map(), metadata: {} }, {
    format: "adjoin training state",
    version: "1",
    state: twice,
  });
  refuses(
    () => parseTrainingState(state, "it"),
    'Cannot go on from it: the state in its metadata has the key "a" twice; take an earlier one',
  );
  const entry = { key: "range", value: "pixels" };
  const empty = { name: "", node: [], initializer: [], input: [], output: [] };
  const onnx = encodeModel({
    irVersion: 8,
    opsetImport: [],
    producerName: "",
    producerVersion: "",
    docString: "",
    metadataProps: [entry, entry],
    graph: empty,
  });
  refuses(
    () => parseOnnxInfo(onnx, "it"),
    'Cannot load it: its metadata have the key "range" twice',
  );
});

Deno.test("__proto__ is refused as a key, and constructor is nothing but a name", () => {
  const proto = 'the key "__proto__", which no object may have';
  refuses(
    () => parseSafetensors(withHeader(headerOf(["__proto__", [1], 0, 1]), 1), "it"),
    `Cannot read it as its header has ${proto}.`,
  );
  refuses(
    () => parseWidths('{"__proto__":8}', "it"),
    `Cannot read widths from it: wanted JSON, found ${proto}; search writes such files`,
  );
  refuses(
    () => parseImagesConfig('{"__proto__":{"dataset":"generated","seed":1}}', "it"),
    `Cannot open the images of a run: wanted it, which names them, found ${proto}; leave the file ` +
      "with the network in its run folder",
  );
  refuses(
    () => parseTiles('{"__proto__":{}}'),
    `Cannot read tiles: wanted JSON, found ${proto}`,
  );
  const data = new Float32Array(1);
  assertThrows(
    () => encodeSafetensors([["__proto__", { shape: [1], data }]]),
    TypeError,
    "neither __metadata__ nor __proto__",
  );
  assertThrows(
    () => encodeSafetensors([], Object.fromEntries([["__proto__", "a"]])),
    TypeError,
    'Cannot write the metadata "__proto__", a name that is reserved: rename it.',
  );
  const { tensors, metadata } = parseSafetensors(
    encodeSafetensors([["constructor", { shape: [1], data }]], { toString: "a" }),
  );
  assertEquals([[...tensors.keys()], metadata.toString], [["constructor"], "a"]);
  refuses(
    () => parseImagesConfig('{"dataset":"constructor","seed":1}', "it"),
    'Cannot open the images of a run: wanted it, which names them, found dataset "constructor" in ' +
      "place of generated, cifar10, cifar100, idx, folder or pets; leave the file with the " +
      "network in its run folder",
  );
  refuses(
    checkpoint({ network: '{"channels":3,"layers":[{"kind":"constructor"}]}' }),
    "Cannot read the network in it: wanted layer 0 (constructor) to have a kind out of " +
      `${KIND_NAMES.join(", ")}, found "constructor"`,
  );
  const own = new Choices();
  assertEquals(own.load("constructor", parseTiles('{"a GPU":{"constructor":"64x64x16"}}')), 0);
});

const NAMES: readonly (readonly [name: string, shown: string, why: string])[] = [
  ["../../etc/cron.d/x", "../../etc/cron.d/x", "which leads to another folder"],
  ["..", "..", "which leads to another folder"],
  ["a/./b", "a/./b", "which leads to another folder"],
  ["a\\..\\b", "a\\..\\b", "which leads to another folder"],
  ["/etc/passwd", "/etc/passwd", "which is the path of a file"],
  ["\\\\server\\share", "\\\\server\\share", "which is the path of a file"],
  ["C:\\CON", "C:\\CON", "which is the path of a file"],
  ["/dev/stdin", "/dev/stdin", "which is the path of a file"],
  ["cat\0.png", "cat\\x00.png", "which has a zero byte"],
  ["__proto__", "__proto__", "which is the prototype of an object"],
];

Deno.test("classes that are called as paths are refused by their names", () => {
  for (const [name, shown, why] of NAMES) {
    const classes = ["cat", "dog", "cow", name];
    refuses(
      checkpoint({ classes: JSON.stringify(classes) }),
      `Cannot load it: wanted names as classes in its metadata, found ${shown}, ${why}`,
    );
    const pixels = new Uint8Array(4);
    const labels = new Uint8Array(1);
    const set = { name: "it", classes, length: 1, height: 2, width: 2, channels: 1 };
    refuses(
      () => checkDataset({ ...set, pixels, labels }),
      `Cannot use it: wanted names of classes, found ${shown}, ${why}; rename it`,
    );
    refuses(
      () => checkClasses("it", classes),
      `Cannot open it: wanted names of classes, found ${shown}, ${why}; rename it`,
    );
    const { network, state, ...info } = checkpointOf(network4);
    const { message } = assertThrows(
      () => encodeCheckpoint(network, state, { ...info, classes }),
      TypeError,
    );
    assertEquals(
      message,
      `Cannot save the network: wanted names as classes, found ${shown}, ${why}`,
    );
    const bytes = encodeTrainingState({
      phase: "train",
      position: { epoch: 0, step: 0 },
      tensors: new Map(),
      numbers: {},
      history: [],
      seconds: 0,
      run: {
        adapter: "",
        options: JSON.parse("{}"),
        classes,
        image: [8, 8, 1],
        normalization: { mean: [0], std: [1] },
      },
    });
    const whole = new Uint8Array(bytes.flatMap((piece) => [...piece]));
    refuses(
      () => parseTrainingState(whole, "it"),
      `Cannot go on from it: wanted names as classes in its metadata, found ${shown}, ${why}`,
    );
  }
  const classes = ["T-shirt/top", "con", "a..b", "...", "constructor", "new\nline"];
  const more = parseCheckpoint(
    encodeCheckpoint(
      network({ channels: 3 }, (n) => {
        n.linear(n.globalAvgPool2d(n.image), { name: "fc", out: 6 });
      }),
      new Map([["fc.weight", new Float32Array(18)], ["fc.bias", new Float32Array(6)]]),
      {
        ...checkpointOf(network4),
        classes,
      },
    ),
    "it",
  );
  assertEquals(more.classes, classes);
});

Deno.test("classes.txt with a path is refused by the path", { ignore }, async () => {
  await withFolder(async (dir) => {
    await Deno.writeTextFile(`${dir}/classes.txt`, "T-shirt/top\n../x\n");
    const { message } = await assertRejects(() => readClassNames(dir), DataError);
    assertEquals(
      message,
      `Cannot read ${dir}/classes.txt: wanted a name of a class in each line, found ../x, which ` +
        "leads to another folder",
    );
  });
});

Deno.test("tensors that overlap, leave a hole or lie elsewhere are refused by their names", () => {
  const read = (tensors: [string, number[], number, number][], bytes: number) => () =>
    parseSafetensors(withHeader(headerOf(...tensors), bytes), "it");
  refuses(
    read([["a", [4], 0, 4], ["b", [3], 3, 6]], 6),
    'Cannot read it as the tensor "b" overlaps the one before it: it must begin at byte 4, and ' +
      "begins at 3.",
  );
  refuses(
    read([["a", [4], 0, 4], ["b", [4], 0, 4]], 4),
    'Cannot read it as the tensor "b" overlaps the one before it: it must begin at byte 4, and ' +
      "begins at 0.",
  );
  refuses(
    read([["a", [4], 0, 4], ["b", [1], 5, 6]], 6),
    'Cannot read it as the tensor "b" leaves a hole before it: it must begin at byte 4, and ' +
      "begins at 5.",
  );
  refuses(
    read([["a", [4], 0, 4]], 5),
    "Cannot read it as its tensors take 4 bytes of data: it has 5.",
  );
  refuses(
    read([["a", [4], 0, 4]], 3),
    'Cannot read it as the tensor "a" must have data_offsets within the 3 bytes of data: found [0,4].',
  );
  refuses(
    read([["a", [4], 4, 0]], 4),
    'Cannot read it as the tensor "a" must have data_offsets of the form [begin, end]: found [4,0].',
  );
});

Deno.test("shapes that are too large for any file are refused, also of types that are not known", () => {
  const header = (dtype: string, shape: string) =>
    withHeader(`{"w":{"dtype":"${dtype}","shape":[${shape}],"data_offsets":[0,1]}}`, 1);
  const most = Number.MAX_SAFE_INTEGER;
  for (const dtype of ["F32", "F8_E4M3"]) {
    for (const shape of [`${most},2`, `${most},${most},0`, Array(40).fill(most).join()]) {
      const { message } = assertThrows(
        () => parseSafetensors(header(dtype, shape), "it"),
        DataError,
      );
      assert(
        message.startsWith(
          'Cannot read it as the tensor "w" must have a shape of fewer than 2^53 elements: found [' +
            `${most},`,
        ),
        message,
      );
    }
  }
  refuses(
    () => parseSafetensors(header("F8_E4M3", "9"), "it"),
    'Cannot read it as the tensor "w" must have 2 bytes or more for F8_E4M3 [9]: found 1.',
  );
  refuses(
    () => parseSafetensors(header("F32", "4000000000"), "it"),
    'Cannot read it as the tensor "w" must have 16000000000 bytes for F32 [4000000000]: found 1.',
  );
  // 255 dimensions, one of which is 0, or none.
  for (const [first, size] of [[0, "1024"], [2 ** 32 - 1, "more than 2^53"]] as const) {
    const bytes = idx([first, ...Array(254).fill(2 ** 32 - 1)], [1]);
    const { message } = assertThrows(() => parseIdx(bytes, "it"), DataError);
    assert(
      message.startsWith(
        `Cannot read it as IDX: wanted ${size} bytes for shape [${first},42949672`,
      ),
      message,
    );
  }
  refuses(
    checkpoint({ image: "[65536,32768,3]" }),
    "Cannot load it: Cannot count: wanted an image of less than 2^31 numbers, found 65536x32768x3",
  );
  assertThrows(
    () => count(network4, { height: 2 ** 16, width: 2 ** 15 }),
    RangeError,
    "wanted an image of less than 2^31 numbers",
  );
  refuses(
    checkpoint({
      network: `{"channels":${most},"layers":[{"kind":"globalAvgPool2d"},` +
        `{"kind":"linear","name":"fc","out":${most}}]}`,
    }),
    "Cannot load it: wanted a network that tells 4 classes of images with 3 channels apart, found " +
      `one for ${most} classes and ${most} channels`,
  );
});

Deno.test(
  "a packed file that promises more than it holds takes no memory for it",
  { ignore },
  async () => {
    await withFolder(async (dir) => {
      // What is packed in 30,000 bytes could be 30 million.
      const noise = new Random(1, "noise");
      const bytes = idx([1000, 100, 200], Array.from({ length: 30_000 }, () => noise.bits() & 255));
      const path = `${dir}/images`;
      await Deno.writeFile(path, await gzip(bytes));
      const says = "wanted 20000016 bytes for shape [1000,100,200], found ";
      using meter = meterAllocations();
      await assertRejects(() => readIdx(path), DataError, `${says}30016; download it again`);
      const some = new Uint32Array([0, 999]);
      await assertRejects(() => readIdx(path, some), DataError, `${says}fewer; download it again`);
      assertEquals(meter.largest <= 2 ** 20, true, `${meter.largest} bytes`);
      meter[Symbol.dispose]();
      // More than is taken at first.
      const large = idx([3, 1000, 1000], []);
      const all = new Uint8Array(large.length + 3_000_000).fill(7);
      all.set(large);
      all[all.length - 1] = 9;
      await Deno.writeFile(path, await gzip(all));
      const { values } = await readIdx(path);
      assertEquals([values.length, values[0], values[2_999_999]], [3_000_000, 7, 9]);
      const { values: two } = await readIdx(path, new Uint32Array([0, 2]));
      assertEquals([two.length, two[0], two[1_999_999]], [2_000_000, 7, 9]);
    });
  },
);

Deno.test("fields of other kinds are refused by their names", () => {
  const config = (change: Record<string, unknown>) => () =>
    parseImagesConfig(JSON.stringify({ dataset: "generated", seed: 1, ...change }), "it");
  const cases: [Record<string, unknown>, string][] = [
    [{ seed: -1 }, "seed -1 in place of a whole number from 0 on"],
    [{ seed: 0.5 }, "seed 0.5 in place of a whole number from 0 on"],
    [{ seed: undefined }, "no seed in place of a whole number from 0 on"],
    [{ seed: { valueOf: 1 } }, 'seed {"valueOf":1} in place of a whole number from 0 on'],
    [{ valSize: 0 }, "valSize 0 in place of a whole number from 1 on"],
    [{ valSize: "8" }, 'valSize "8" in place of a whole number from 1 on'],
    [{ valSplit: 1 }, "valSplit 1 in place of a number above 0 and below 1"],
    [{ dataDir: 3 }, "dataDir 3 in place of a path"],
    [{ dataDir: "a\0b" }, 'dataDir "a\\u0000b" in place of a path'],
    [{ dataDir: "" }, 'dataDir "" in place of a path'],
  ];
  for (const [change, found] of cases) {
    refuses(
      config(change),
      `Cannot open the images of a run: wanted it, which names them, found ${found}; leave the ` +
        "file with the network in its run folder",
    );
  }
  assertEquals(config({ dataDir: null, valSize: null, valSplit: 0.5, more: 1 })(), {
    dataset: "generated",
    seed: 1,
    valSplit: 0.5,
  });
  const architecture = (value: unknown) =>
    checkpoint({ network: undefined, architecture: JSON.stringify(value) });
  for (const value of [null, 3, "resnet8"]) {
    refuses(
      architecture(value),
      "Cannot load it: wanted an object as architecture in its metadata, found " +
        JSON.stringify(value),
    );
  }
  refuses(
    architecture({ model: "resnet8", which: { toString: 1 } }),
    "Cannot load it: wanted base, small or the name of one of several small networks as which in its metadata, found " +
      '{"toString":1}',
  );
});

Deno.test("choices of tiles that are of another form count as none, however deep they lie", () => {
  const deep = "[".repeat(1e5) + "]".repeat(1e5);
  const text = `{"a GPU":{"w":"64x64x16"},"b":${deep},"c":{"w":8},"d":[],"e":null}`;
  assertEquals(parseTiles(text), { "a GPU": { w: "64x64x16" } });
  assertThrows(
    () => new Choices().load("b", JSON.parse(text)),
    TypeError,
    "names of tiles, found a list",
  );
  refuses(
    () => parseTiles(deep),
    `Cannot read tiles: wanted an object of adapters, found ${"[".repeat(100)}...`,
  );
});

Deno.test("times of layers that are of another form count as none", () => {
  const text = `{"a":{"w":0.5},"b":[[]],"c":{"w":"8"},"d":{"w":-1},"e":null}`;
  assertEquals(parseLatencies(text), { a: { w: 0.5 } });
  refuses(
    () => parseLatencies("[]"),
    "Cannot read latencies: wanted an object of runtimes, found []",
  );
});

Deno.test("a folder whose config.json is a pipe or of gigabytes is none of a run", {
  ignore: ignore || lacks("run") || Deno.build.os === "windows",
}, async () => {
  await withFolder(async (dir) => {
    const config = `${dir}/config.json`;
    assert((await new Deno.Command("mkfifo", { args: [config] }).output()).success);
    assertEquals(holdsRun(dir), "config.json");
    await Deno.remove(config);
    await Deno.writeTextFile(config, "");
    await Deno.truncate(config, 2 ** 40);
    assertEquals(holdsRun(dir), "config.json");
  });
});

Deno.test("messages of files with names that a terminal acts on do not", () => {
  const name = "\x1b[2J.safetensors";
  for (
    const change of [{ network: "{" }, { which: "x" }, { classes: '["a"]' }, { network: undefined }]
  ) {
    const { message } = assertThrows(
      () => parseCheckpoint(withMetadata(saved, change), name),
      DataError,
    );
    assert(message.includes("\\x1b[2J.safetensors"), message);
  }
  assertThrows(() => parseNetwork("{"), TypeError, "wanted JSON, found {");
});

Deno.test("checkpoints of a run with fields or values that no run has are refused", () => {
  const row = {
    ...{ epoch: 1, etaSeconds: null, training: { base: 0.5 }, search: { gamma: 1 } },
    validation: { base: { top1: 0.5, top5: 1, loss: 1 } },
  };
  const run = {
    ...{ adapter: "a GPU", options: {}, classes: ["a", "b"], image: [8, 8, 2] },
    ...{ normalization: { mean: [0, 0], std: [1, 1] }, tiles: { "a GPU": { w: "64x64x16" } } },
  };
  const whole = {
    ...{ phase: "train", position: { epoch: 1, step: 0 }, numbers: { steps: 3 } },
    ...{ history: [row], seconds: 2, run },
  };
  const state = (change: Record<string, unknown>, tensors: [string, TensorToStore][] = []) => () =>
    parseTrainingState(
      encodeSafetensors(tensors, {
        ...{ format: "adjoin training state", version: "1" },
        state: JSON.stringify({ ...whole, ...change }),
      }),
      "it",
    );
  assertEquals(state({})().position, { epoch: 1, step: 0 });
  const cases: [string, Record<string, unknown>][] = [
    ["phase", { phase: 3 }],
    ["position", { position: { epoch: -1, step: 0 } }],
    ["position", { position: { epoch: 1, step: 0.5 } }],
    ["numbers", { numbers: { steps: "3" } }],
    ["numbers", { numbers: [1] }],
    ["history", { history: [{ ...row, epoch: "1" }] }],
    ["history", { history: [{ ...row, loss: "1" }] }],
    ["history", { history: [{ ...row, validation: undefined }] }],
    ["history", { history: [{ ...row, validation: { base: { top1: null } } }] }],
    ["history", { history: [{ ...row, training: { a: { b: { c: { d: 1 } } } } }] }],
    ["seconds", { seconds: null }],
    ["run", { run: { ...run, adapter: undefined } }],
    ["run", { run: { ...run, options: [] } }],
    ["run", { run: { ...run, config: 3 } }],
    ["run", { run: { ...run, tiles: { "a GPU": { w: 3 } } } }],
    ["run", { run: { ...run, classes: "ab" } }],
    ["run", { run: { ...run, image: [8, 0, 2] } }],
    ["run", { run: { ...run, image: [8, 8, 3] } }],
    ["run", { run: { ...run, normalization: { mean: [0, 0], std: [1, 0] } } }],
  ];
  for (const [field, change] of cases) {
    refuses(
      state(change),
      `Cannot go on from it: the ${field} in its metadata is not that of a checkpoint; take an ` +
        "earlier one",
    );
  }
  const one = (name: string, data: TensorToStore["data"]): [string, TensorToStore] => [
    name,
    { shape: [data.length], data },
  ];
  refuses(
    state({}, [one("parameters/a", new Float32Array([1, NaN]))]),
    "Cannot go on from it: wanted numbers, found NaN in parameters/a; take an earlier one",
  );
  refuses(
    state({}, [one("average/bn1.running_var", new Float32Array([1, -1]))]),
    "Cannot go on from it: wanted variances from 0 on, found -1 in average/bn1.running_var; take " +
      "an earlier one",
  );
  refuses(
    state({}, [one("parameters/a", new Float64Array(1))]),
    "Cannot go on from it: wanted F32 and U32, found F64 in parameters/a",
  );
});

Deno.test("a checkpoint of a run has a command and widths that are those of one", () => {
  const { state } = stateOfRun(["--model", "resnet8"]);
  const found = { path: "runs/a", work: "runs/a", file: "it", state, last: state, history: [] };
  const resume = (command: unknown, widths?: unknown) => () =>
    resumedOptions("train", [], { ...found, config: { command, widths } });
  refuses(
    resume("x; rm -rf ~"),
    'Cannot go on from it: its options are not those of a run, found "x; rm -rf ~" as its ' +
      "command; take an earlier checkpoint",
  );
  for (const width of ["a\0b", { toString: 1 }, 0, 0.5]) {
    refuses(
      resume("train", { "layer2.0.conv1": width }),
      "Cannot go on from it: its options are not those of a run, found " +
        `${JSON.stringify({ "layer2.0.conv1": width })} for --widths; take an earlier checkpoint`,
    );
    const widths: Record<string, number> = JSON.parse(JSON.stringify({ "layer2.0.conv1": width }));
    const { message } = assertThrows(
      () => adjoin(model("resnet8", { classes: 2 }), { compression: 1, widths }),
      RangeError,
    );
    assertEquals(
      message,
      "Cannot adjoin: the width of layer2.0.conv1 is from 1 to 32, or a list of different filters " +
        `from 0 to 31, found ${JSON.stringify(width)}`,
    );
  }
  assertThrows(
    resume("search"),
    UsageError,
    "it is a run of search; go on with deno task search --resume runs/a",
  );
});
