// --init: which files are read, what a run starts from, how images are normalised, what is told.
import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { IMAGENET, type Split } from "../data/dataset.ts";
import { DataError } from "../data/error.ts";
import { generatedSplit } from "../data/generated.ts";
import { Random } from "../data/random.ts";
import { encodeSafetensors, parseSafetensors, type TensorToStore } from "../data/safetensors.ts";
import { elements } from "../kernels/gpu/tensor.ts";
import { adjoin } from "../nn/compress/adjoin.ts";
import { toTorch } from "../nn/layout.ts";
import type { Network } from "../nn/network.ts";
import { withoutPrefixes } from "../nn/pretrained.ts";
import { model } from "../nn/families/mod.ts";
import { initialize, networkSpecs } from "../nn/state.ts";
import { readArguments } from "../cli/arguments.ts";
import { encodeCheckpoint } from "../export/checkpoint.ts";
import { EXIT } from "../cli/exit.ts";
import { UsageError } from "../train/errors.ts";
import { loadGiven } from "../cli/run/weights_files.ts";
import { type Start, startFrom } from "../train/init.ts";
import { normalized } from "../train/pixel_normalization.ts";
import { objectiveOf } from "../train/job.ts";
import { trainRequest } from "../cli/options.ts";
import type { TrainOptions } from "../train/types.ts";
import { adjoinCommand } from "./command.ts";
import { withFolder } from "./folder.ts";
import { lacks } from "./permissions.ts";

const ignore = lacks("read", "write", "run", "env");
const { normalization, ...halves } = generatedSplit({
  train: 8,
  validation: 8,
  size: 32,
  seed: 0,
});
const split: Split = { normalization, ...halves };

function options(...args: string[]): TrainOptions {
  return trainRequest(readArguments("train", args)).options;
}

/** A file of a network with random weights, none of them zero or one, without metadata. */
function fileOf(
  network: Network,
  change?: (name: string) => TensorToStore | undefined,
): Uint8Array {
  const { parameters, statistics } = networkSpecs(network);
  const random = new Random(5, "given weights");
  const draw = () => 0.05 + 0.1 * random.uniform();
  return encodeSafetensors([...parameters, ...statistics].map(({ name, shape }) => {
    const values = Float32Array.from({ length: elements(shape) }, draw);
    return [name, change?.(name) ?? toTorch(values, shape)] as const;
  }));
}

/** What a run would start from, on generated images of ten classes. */
async function startOf(path: string, ...args: string[]): Promise<Start> {
  const found = options("--init", path, ...args);
  const given = await loadGiven(found);
  assert(given);
  const { model: name, variant, stem, compression } = found;
  const base = model(name, { classes: 10, variant, stem });
  const pairs = adjoin(base, {
    small: [compression].flat().map((alpha) => ({ compression: alpha })),
  });
  const teacher = found.mode === "distill" ? { network: base } as never : undefined;
  return startFrom(given, found, { objective: objectiveOf(found, pairs, teacher), pairs });
}

const thin = model("resnet8", { classes: 10, stem: "authors" });

Deno.test(
  "a run starts from all that fits, and says what does not",
  { ignore },
  () =>
    withFolder(async (dir) => {
      const path = `${dir}/weights.safetensors`;
      await Deno.writeFile(path, fileOf(thin));
      const whole = await startOf(path);
      assertEquals(whole.notes, [`starts from 57 of the 57 tensors of ${path}`]);
      // The norms of stages 2 and 3 are the small network's own: 2 blocks of 3 norms of 4 tensors.
      assertEquals(whole.state.size, 57 + 24);
      await Deno.writeFile(path, fileOf(model("resnet8", { classes: 7, stem: "authors" })));
      const other = await startOf(path);
      assertEquals(other.notes, [
        `starts from 55 of the 57 tensors of ${path}`,
        "not used: fc.weight (7x64, wanted 10x64), fc.bias (7, wanted 10); " +
        "drawn afresh: fc.weight, fc.bias",
      ]);
      assertEquals([other.state.has("fc.weight"), other.state.size], [false, 55 + 24]);
      await Deno.writeFile(path, fileOf(model("resnet14", { classes: 10, stem: "authors" })));
      const deeper = await startOf(path);
      assertStringIncludes(deeper.notes[1], "not used: layer1.1.conv1.weight (unknown name), ");
      assertStringIncludes(deeper.notes[1], " and 24 more");
      assertEquals(deeper.state, (await startOf(path)).state);
    }),
);

Deno.test(
  "a small network starts from slices of a base network, or from its own",
  { ignore },
  () =>
    withFolder(async (dir) => {
      const [base, small] = [`${dir}/base.safetensors`, `${dir}/small.safetensors`];
      const adjoined = adjoin(thin, { compression: 4 });
      await Deno.writeFile(base, fileOf(thin));
      const { tensors } = parseSafetensors(await Deno.readFile(base));
      for (
        const mode of [
          ["--mode", "distill", "--teacher", "runs/base"],
          ["--mode", "plain", "--which", "small"],
        ]
      ) {
        const { state, notes } = await startOf(base, ...mode);
        assertEquals(notes, [`starts from 57 of the 57 tensors of ${base}`]);
        const filter = state.get("layer2.0.conv1.weight")!;
        assertEquals(filter.length, 9 * 16 * 8);
        // Of [tap, in, out] the second number is of filter 1, in PyTorch's layout 16 kernels on.
        assertEquals(filter[1], tensors.get("layer2.0.conv1.weight")!.data[16 * 9]);
      }
      await Deno.writeFile(small, fileOf(adjoined.small));
      const own = await startOf(small, "--mode", "plain", "--which", "small");
      const values = parseSafetensors(await Deno.readFile(small)).tensors;
      assertEquals(own.state.get("bn1.bias"), values.get("bn1.bias")!.data);
      assertEquals(own.state.size, 57);
      await Deno.remove(base);
      const inFolder = await startOf(dir, "--mode", "plain", "--which", "small");
      assertEquals(inFolder.state, own.state);
    }),
);

Deno.test(
  "what cannot be started from is refused, with the cure",
  { ignore },
  () =>
    withFolder(async (dir) => {
      const path = `${dir}/weights.safetensors`;
      const refused = async (
        bytes: Uint8Array,
        error: typeof UsageError | typeof DataError,
        says: string,
        ...args: string[]
      ) => {
        await Deno.writeFile(path, bytes);
        await assertRejects(() => startOf(path, ...args), error, says);
      };
      await refused(
        fileOf(model("resnet18", { classes: 10, variant: "torchvision" })),
        UsageError,
        "found layer2.0.downsample.0.weight, as in torchvision; pass variant torchvision",
        ...["--model", "resnet18"],
      );
      await refused(
        fileOf(model("resnet18", { classes: 10 })),
        UsageError,
        "found layer2.0.downsample.2.weight, as in xresnet; pass variant xresnet",
        ...["--model", "resnet18", "--variant", "torchvision"],
      );
      await refused(
        encodeSafetensors([["bn1.bias", { shape: [16], data: new Float32Array(16) }]]),
        UsageError,
        "as xresnet resnet8: no convolution fits, wanted conv1.0.weight of 16x3x3x3 and so on, " +
          "found bn1.bias of 16; pass the model and variant of the weights",
      );
      const data = new Float32Array(16).fill(NaN);
      await refused(
        fileOf(thin, (name) => name === "bn1.bias" ? { shape: [16], data } : undefined),
        DataError,
        "wanted numbers, found NaN in bn1.bias",
      );
      const negative = { shape: [16], data: new Float32Array(16).fill(-1) };
      await refused(
        fileOf(thin, (name) => name === "bn1.running_var" ? negative : undefined),
        DataError,
        "wanted variances from 0 on, found -1 in bn1.running_var",
      );
      await refused(
        new TextEncoder().encode("PK\x03\x04 w/data.pkl"),
        DataError,
        "found a file of torch.save; write it anew with safetensors.torch.save_file(torch.load(",
      );
      await refused(Uint8Array.of(1, 2, 3), DataError, "it has 3 bytes");
      await assertRejects(() => startOf(`${dir}/none`), DataError, `found no file ${dir}/none`);
      await Deno.remove(path);
      await assertRejects(() => startOf(dir), DataError, `found no file ${dir}/base.safetensors`);
      const small = encodeCheckpoint(thin, initialize(networkSpecs(thin), thin, () => 1), {
        which: "small",
        classes: Array.from({ length: 10 }, (_, i) => `${i}`),
        image: [32, 32, 3],
        normalization,
      });
      await refused(small, UsageError, "found those of a small one; pass base.safetensors");
    }),
);

Deno.test(
  "doubles are rounded, and tensors that are no floats left out",
  { ignore },
  () =>
    withFolder(async (dir) => {
      const path = `${dir}/weights.safetensors`;
      const whole = { shape: [16], data: new Int32Array(16) };
      await Deno.writeFile(path, fileOf(thin, (name) => name === "bn1.bias" ? whole : undefined));
      const { state, notes } = await startOf(path);
      assertEquals(notes, [
        `starts from 56 of the 57 tensors of ${path}`,
        "not used: bn1.bias (I32, wanted floats); drawn afresh: bn1.bias",
      ]);
      assert(!state.has("bn1.bias"));
      const wide = { shape: [16], data: new Float64Array(16).fill(0.1) };
      await Deno.writeFile(path, fileOf(thin, (name) => name === "bn1.bias" ? wide : undefined));
      const rounded = (await startOf(path)).state.get("bn1.bias");
      assertEquals(rounded, new Float32Array(16).fill(0.1));
    }),
);

Deno.test(
  "prefixes of wrapped modules are taken off, and said",
  { ignore },
  () =>
    withFolder(async (dir) => {
      const path = `${dir}/weights.safetensors`;
      const { tensors } = parseSafetensors(fileOf(thin));
      const wanted = (await given(fileOf(thin))).state;
      async function given(bytes: Uint8Array): Promise<Start> {
        await Deno.writeFile(path, bytes);
        return await startOf(path);
      }
      for (const prefix of ["module.", "model.", "_orig_mod.", "module._orig_mod."]) {
        const renamed = [...tensors].map(([name, tensor]) => [prefix + name, tensor] as const);
        const { state, notes } = await given(encodeSafetensors(renamed));
        assertEquals(state, wanted, prefix);
        assertEquals(notes, [
          `starts from 57 of the 57 tensors of ${path}`,
          `took "${prefix}" off the names of 57 tensors`,
        ]);
      }
    }),
);

Deno.test("names that would become those of others keep their prefix", () => {
  const found = withoutPrefixes(["model.a", "a", "module.b", "models.c", "module.model.d"]);
  assertEquals([...found.names], [["module.b", "b"], ["module.model.d", "d"]]);
  assertEquals(found.prefixes, ["module.", "module.model."]);
  const long = "module.".repeat(1e6);
  assertEquals(withoutPrefixes([`${long}a`]).names.get(`${long}a`), "a");
});

/** A file whose tensors of some names are of bytes of an element type. */
function retyped(bytes: Uint8Array, dtype: string, which: (name: string) => boolean): Uint8Array {
  const { tensors } = parseSafetensors(bytes);
  let end = 0;
  const header = [...tensors].map(([key, { shape, data }]) => {
    const begin = end;
    end += which(key) ? data.length : 4 * data.length;
    return [key, { dtype: which(key) ? dtype : "F32", shape, data_offsets: [begin, end] }];
  });
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)));
  const file = new Uint8Array(8 + json.length + end);
  new DataView(file.buffer).setBigUint64(0, BigInt(json.length), true);
  file.set(json, 8);
  return file;
}

Deno.test(
  "tensors of bytes spoil a file only where all convolutions are such",
  { ignore },
  () =>
    withFolder(async (dir) => {
      const path = `${dir}/weights.safetensors`;
      for (const dtype of ["I8", "F8_E4M3"]) {
        await Deno.writeFile(path, retyped(fileOf(thin), dtype, (name) => name === "bn1.bias"));
        assertEquals((await startOf(path)).notes, [
          `starts from 56 of the 57 tensors of ${path}`,
          `not used: bn1.bias (${dtype}, wanted floats); drawn afresh: bn1.bias`,
        ]);
        await Deno.writeFile(path, retyped(fileOf(thin), dtype, () => true));
        await assertRejects(
          () => startOf(path),
          DataError,
          `no convolution has floats, found conv1.0.weight (${dtype}, wanted floats) and 10 more; ` +
            "write the weights as F32, F16 or BF16",
        );
      }
    }),
);

Deno.test(
  "a small network of other widths is refused, with its own shapes",
  { ignore },
  () =>
    withFolder(async (dir) => {
      const path = `${dir}/small.safetensors`;
      const { small } = adjoin(thin, { compression: 4 });
      const plain = ["--mode", "plain", "--which", "small"];
      const file = encodeCheckpoint(small, initialize(networkSpecs(small), small, () => 1), {
        which: "small",
        classes: Array.from({ length: 10 }, (_, i) => String(i)),
        image: [32, 32, 3],
        normalization,
      });
      // With our metadata, and as PyTorch saves it again.
      for (const bytes of [file, fileOf(small)]) {
        await Deno.writeFile(path, bytes);
        assertEquals((await startOf(path, ...plain)).state.size, 57);
        await assertRejects(
          () => startOf(path, ...plain, "--compression", "2"),
          UsageError,
          "as the small network of compression 2: wanted layer2.0.conv1.weight of 16x16x3x3, " +
            "found 8x16x3x3; pass the compression or widths of its run or base.safetensors",
        );
      }
    }),
);

Deno.test("images are normalised as the weights need it, or as --normalization says", () => {
  const given = (metadata: Record<string, string>) => ({
    file: "w.safetensors",
    tensors: new Map(),
    others: [],
    metadata,
    notes: [],
  });
  const of = (args: string[], file?: ReturnType<typeof given>, data = split) => {
    const { split: found, notes } = normalized(options(...args), data, file);
    return [found.normalization, ...notes];
  };
  const imagenet = [IMAGENET, "images are normalised by ImageNet's mean and deviation"];
  const measured = "images are normalised by the training images' mean and deviation";
  assertEquals(of([]), [normalization]);
  assertEquals(of(["--normalization", "data"]), [normalization]);
  assertEquals(of(["--normalization", "imagenet"]), imagenet);
  assertEquals(of([], given({})), imagenet);
  assertEquals(of([], given({ mean: "no JSON", std: "[1,1,1]" })), imagenet);
  assertEquals(of(["--normalization", "data"], given({})), [normalization, measured]);
  const own = given({ mean: "[0.1,0.2,0.3]", std: "[1,2,3]" });
  const saved = { mean: [0.1, 0.2, 0.3], std: [1, 2, 3] };
  assertEquals(of([], own), [saved, "images are normalised as w.safetensors says"]);
  assertEquals(of(["--normalization", "imagenet"], own), imagenet);
  const grey: Split = { ...split, train: { ...split.train, channels: 1, name: "mnist" } };
  assertEquals(of([], own, grey), [normalization, measured]);
  assertThrows(
    () => of(["--normalization", "imagenet"], undefined, grey),
    UsageError,
    "Cannot normalise mnist as imagenet: wanted images of 3 channels, found 1; use normalization data",
  );
});

/** A step that moves no weight, so that what is saved is what the run started from. */
const STILL = [
  ...["--opt", "sgd", "--sched", "constant", "--lr", "1e-30", "--weight-decay", "0"],
  ...["--epochs", "1", "--train-size", "8", "--val-size", "8", "--batch-size", "8"],
];

Deno.test(
  "train takes torchvision's ResNet-18, and then its own run",
  { ignore },
  () =>
    withFolder(async (dir) => {
      const path = `${dir}/weights.safetensors`;
      const network = model("resnet18", { classes: 20, variant: "torchvision" });
      await Deno.writeFile(path, fileOf(network));
      const args = ["--model", "resnet18", "--variant", "torchvision", "--importance", "first"];
      args.push(...STILL);
      const run = `${dir}/run`;
      const first = await adjoinCommand(["train", ...args, "--init", path, "--output", run]);
      assertEquals(first.code, EXIT.ok, first.error);
      assertMatch(first.out, /^starts from 100 of the 102 tensors of .*weights\.safetensors$/m);
      assertStringIncludes(first.out, "not used: fc.weight (20x512, wanted 10x512), fc.bias");
      assertStringIncludes(first.out, "images are normalised by ImageNet's mean and deviation");
      const given = parseSafetensors(await Deno.readFile(path)).tensors;
      const base = parseSafetensors(await Deno.readFile(`${run}/base.safetensors`));
      const small = parseSafetensors(await Deno.readFile(`${run}/small.safetensors`)).tensors;
      assertEquals(JSON.parse(base.metadata.mean), IMAGENET.mean);
      assertStringIncludes(base.metadata.network, '"name":"conv1","out":64,"kernel":7');
      for (const name of ["conv1.weight", "layer2.0.downsample.0.weight", "layer4.1.bn2.weight"]) {
        assertEquals(base.tensors.get(name), given.get(name), name);
      }
      assertEquals(
        small.get("layer4.1.bn1.weight")!.data,
        given.get("layer4.1.bn1.weight")!.data.slice(0, 128),
      );
      // One step moves running statistics by a tenth, as ever.
      const mean = base.tensors.get("bn1.running_mean")!.data;
      assert(mean.some((value) => Number(value) !== 0));
      const second = await adjoinCommand([
        ...["train", ...args, "--init", run, "--output", `${dir}/again`],
        ...["--mode", "plain", "--which", "small"],
      ]);
      assertEquals(second.code, EXIT.ok, second.error);
      assertMatch(second.out, /^starts from 102 of the 102 tensors of .*run\/base\.safetensors$/m);
      assertMatch(second.out, /^images are normalised as .*run\/base\.safetensors says$/m);
      const again = parseSafetensors(await Deno.readFile(`${dir}/again/small.safetensors`)).tensors;
      const [a, b] = [again, small].map((file) => file.get("layer3.1.conv2.weight")!.data);
      assertEquals(a.length, b.length);
      a.forEach((value, i) => assertAlmostEquals(Number(value), Number(b[i]), 1e-7));
    }),
);

Deno.test(
  "train refuses weights of the other variant, and writes nothing",
  { ignore },
  () =>
    withFolder(async (dir) => {
      const path = `${dir}/weights.safetensors`;
      await Deno.writeFile(path, fileOf(model("resnet18", { classes: 2, variant: "torchvision" })));
      const args = ["train", "--model", "resnet18", "--init", path, "--output", `${dir}/run`];
      const { code, out, error } = await adjoinCommand(args);
      assertEquals([code, out], [EXIT.usage, ""]);
      assertMatch(error, /^adjoin: Cannot start from [^\n]* pass --variant torchvision\n$/);
      assertEquals([...Deno.readDirSync(dir)].map(({ name }) => name), ["weights.safetensors"]);
      const missing = await adjoinCommand([
        "train",
        "--init",
        "/nowhere",
        "--output",
        `${dir}/run`,
      ]);
      assertEquals(missing.code, EXIT.data);
    }),
);
