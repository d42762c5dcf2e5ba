// A file of ONNX as --model of the commands: trained, gone on with without the file, exported, counted.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { readArguments } from "../cli/arguments.ts";
import { trainRequest } from "../cli/options.ts";
import { openJob } from "../cli/run/open_run.ts";
import { encodeSafetensors } from "../data/safetensors.ts";
import { readOnnx } from "../export/onnx_read/read_onnx.ts";
import { elements } from "../kernels/gpu/tensor.ts";
import { range } from "../kernels/wgsl/blocked.ts";
import { toTorch } from "../nn/layout.ts";
import { networkSpecs } from "../nn/state.ts";
import { withFolder } from "./folder.ts";
import { adjoinCommand, type Outcome } from "./command.ts";
import { GraphFile } from "./onnx_graph_file.ts";
import { lacks } from "./permissions.ts";
import { parseCheckpoint } from "../export/checkpoint.ts";
import { parseWidths } from "../export/widths_file.ts";

const ignore = lacks("read", "write", "run", "env");
const SIZES = ["--train-size", "16", "--val-size", "16", "--batch-size", "8", "--image-size", "12"];

/** A network of three convolutions, for images of 12 pixels. */
function tiny(classes: number): Uint8Array {
  const g = new GraphFile(["batch", 3, 12, 12]);
  let x = g.node("Relu", [g.norm(g.conv(g.image, "stem.conv", [8, 3, 3, 3], SAME), "stem.bn", 8)]);
  x = g.node("Relu", [g.norm(g.conv(x, "block1.conv", [16, 8, 3, 3], HALF), "block1.bn", 16)]);
  x = g.node("Relu", [g.norm(g.conv(x, "block2.conv", [16, 16, 3, 3], HALF), "block2.bn", 16)]);
  const logits = g.classifier(x, 16, classes);
  return g.bytes(g.node("Softmax", [logits], { axis: -1 }), { classes });
}

const SAME = { pads: [1, 1, 1, 1] };
const HALF = { ...SAME, strides: [2, 2] };

async function done(args: readonly string[]): Promise<Outcome> {
  const outcome = await adjoinCommand(args);
  assertEquals(outcome.code, 0, outcome.error);
  return outcome;
}

Deno.test(
  "a file of ONNX is trained, gone on with, evaluated and exported",
  { ignore },
  async () => {
    const dir = await Deno.makeTempDir();
    try {
      const file = `${dir}/tiny.onnx`;
      const run = `${dir}/run`;
      await Deno.writeFile(file, tiny(3));
      const plain = ["--mode", "plain", "--sched", "constant", "--warmup-epochs", "0"];
      const train = ["train", "--model", file, ...SIZES, ...plain, "--output", run];
      const { out } = await done([...train, "--epochs", "1"]);
      assertStringIncludes(out, `starts from 15 of the 17 tensors of ${file}`);
      assertStringIncludes(out, "left out node Softmax");
      assertStringIncludes(out, "drawn afresh: fc.weight, fc.bias");
      // The run has the network: the file is not read again.
      await Deno.writeTextFile(file, "another");
      const more = await done(["train", "--resume", run, "--epochs", "2"]);
      assertStringIncludes(more.out, "goes on from");
      const saved = parseCheckpoint(await Deno.readFile(`${run}/base.safetensors`), "it");
      assertEquals(
        saved.network.layers.flatMap((layer) => layer.kind === "conv2d" ? [layer.stage] : []),
        [0, 1, 2],
      );
      await done(["eval", `${run}/base.safetensors`, ...SIZES.slice(2, 4), "--json"]);
      await done(["export", run, "--which", "base", "--format", "onnx"]);
      await Deno.remove(file);
      // What is exported is a model as well.
      const [exported] = [...Deno.readDirSync(run)].filter(({ name }) => name.endsWith(".onnx"));
      const again = await done(["summary", "--model", `${run}/${exported.name}`, "--json"]);
      assertEquals(JSON.parse(again.out).classes, saved.classes.length);
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  },
);

Deno.test(
  "a file of ONNX is adjoined, searched, compared in a rehearsal, and counted",
  { ignore },
  async () => {
    const dir = await Deno.makeTempDir();
    try {
      const file = `${dir}/tiny.onnx`;
      await Deno.writeFile(file, tiny(10));
      const dry = await done(["train", "--model", file, "--mask-from", "1", ...SIZES, "--dry-run"]);
      assert(dry.out.includes("tiny.onnx"), dry.out);
      const { out } = await done(["summary", "--model", file, "--mask-from", "1"]);
      assertStringIncludes(out, "12x12 pixels, 3 channels");
      assertStringIncludes(out, "block2.conv");
      const search = ["search", "--model", file, "--mask-from", "1", "--budget-macs", "0.6"];
      const epochs = ["--search-epochs", "2", "--widths-only"];
      await done([...search, ...epochs, ...SIZES, "--output", `${dir}/run`]);
      const found = parseWidths(await Deno.readTextFile(`${dir}/run/widths.json`), "it");
      assertEquals(Object.keys(found.widths), ["block1.conv", "block2.conv"]);
      assertEquals(found.model, file);
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  },
);

Deno.test(
  "--init goes before the weights of a model in a file, whose notes stay",
  { ignore },
  () =>
    withFolder(async (dir) => {
      const [file, init] = [`${dir}/tiny.onnx`, `${dir}/own.safetensors`];
      await Deno.writeFile(file, tiny(10));
      const { network } = readOnnx(tiny(10), "it");
      const { parameters, statistics } = networkSpecs(network);
      const ones = [...parameters, ...statistics].map(({ name, shape }) =>
        [name, toTorch(new Float32Array(elements(shape)).fill(0.5), shape)] as const
      );
      await Deno.writeFile(init, encodeSafetensors(ones));
      const jobFrom = (...args: string[]) => {
        const cut = ["--mask-from", "1", "--compression", "2", "--importance", "l1"];
        const typed = ["--model", file, ...args, ...cut, ...SIZES];
        return openJob(trainRequest(readArguments("train", typed)).options);
      };
      const both = await jobFrom("--init", init);
      const alone = await jobFrom();
      for (const { network, isCut, notes } of [both, alone]) {
        assertEquals(network?.layers.length, alone.network?.layers.length);
        assert(isCut && notes.some((note) => note.includes("left out node Softmax")), notes.join());
      }
      assertStringIncludes(both.notes[0], `starts from 17 of the 17 tensors of ${init}`);
      assertStringIncludes(alone.notes[0], `starts from 17 of the 17 tensors of ${file}`);
      const weights = [both, alone].map(({ start }) => start?.get("block1.conv.weight") ?? []);
      assert(weights[0].every((weight) => weight === 0.5));
      assert(weights[1].some((weight) => weight !== 0.5));
      // All filters of the one file are alike, and the first are kept.
      const { widths } = both.options;
      assertEquals(widths, { "block1.conv": range(8), "block2.conv": range(8) });
      assert(JSON.stringify(alone.options.widths) !== JSON.stringify(widths));
    }),
);

Deno.test(
  "a file that is no model, or one for other images, is refused in a sentence",
  { ignore },
  async () => {
    const dir = await Deno.makeTempDir();
    try {
      const file = `${dir}/tiny.onnx`;
      await Deno.writeFile(file, tiny(10).subarray(0, 900));
      const bad = await adjoinCommand(["train", "--model", file, ...SIZES, "--dry-run"]);
      assertEquals(bad.code, 3, bad.error);
      assertStringIncludes(bad.error, `Cannot read ${file}: wanted an ONNX model, found`);
      const none = await adjoinCommand(["summary", "--model", `${dir}/none.onnx`]);
      assertEquals(none.code, 3);
      assertStringIncludes(
        none.error,
        "Cannot read the model: wanted an ONNX file, found no file",
      );
      await Deno.writeFile(file, tiny(10));
      const variant = await adjoinCommand(["summary", "--model", file, "--variant", "torchvision"]);
      assertEquals(variant.code, 2);
      const channels = await adjoinCommand(["summary", "--model", file, "--channels", "1"]);
      assertEquals(channels.code, 2);
      assertStringIncludes(channels.error, "--channels is 3 as in the file of --model, found 1");
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  },
);
