// Every whole model: its small networks are what was measured, run in onnxruntime, and are trained for
// an epoch; torchvision's weights give torchvision's logits where a Python has it. Full numbers:
// `deno task torture --only families`.
import { ValidationBatches } from "../../data/batches.ts";
import type { Dataset } from "../../data/dataset.ts";
import { Random } from "../../data/random.ts";
import type { Checkpoint } from "../../export/checkpoint.ts";
import { encodeOnnx } from "../../export/onnx.ts";
import { OnnxSession } from "../../export/onnx_session.ts";
import { Gpu } from "../../kernels/gpu.ts";
import { adjoin, type Adjoined } from "../../nn/compress/adjoin.ts";
import { adjoinedSpecs, extract } from "../../nn/compress/adjoined_state.ts";
import { model, MODEL_NAMES } from "../../nn/families/mod.ts";
import type { State } from "../../nn/parameters.ts";
import { initialize } from "../../nn/state.ts";
import { KernelSession } from "../../train/kernel_session.ts";
import { Weights } from "../../train/learner.ts";
import { areEqual, compare, compareLogits } from "../../train/verify.ts";
import { withFolder } from "../folder.ts";
import { makeFiles, onePicture } from "../picture_folders.ts";
import { pythonWithTorch } from "../python.ts";
import { compareWithTorchvision, hasTorchvision, type ModelPair } from "../whole_families.ts";

const ROOT = new URL("../../", import.meta.url);

const CLASSES = 4;
const SIDE = 64;
const COMPRESSIONS = [2, 4];

/** Models that torchvision has as well. */
const TORCHVISION: readonly ModelPair[] = [
  ["vgg11_bn", "vgg11_bn"],
  ["resnext50_32x4d", "resnext50_32x4d"],
  ["wide_resnet50_2", "wide_resnet50_2"],
  ["densenet121", "densenet121"],
  ["squeezenet1_1", "squeezenet1_1"],
  ["mobilenetv2_100", "mobilenet_v2"],
  ["mobilenetv3_large_100", "mobilenet_v3_large"],
  ["efficientnet_b0", "efficientnet_b0"],
  ["convnext_tiny", "convnext_tiny"],
];

/** Models too large for the memory of a test machine, which others of their family stand for. */
const LARGE = ["vgg16_bn", "vgg11_bn", "wide_resnet28_10", "wide_resnet50_2"];

/** Those of families that ResNets' own tests do not go through. */
const MODELS = MODEL_NAMES.filter((name) => !name.startsWith("resnet") && !LARGE.includes(name));

/** Noise, of each image half as bright as of the one before. */
function noise(length: number): Dataset {
  const random = new Random(3, "pixels");
  const values = SIDE * SIDE * 3;
  return {
    name: "noise",
    classes: Array.from({ length: CLASSES }, (_, i) => `class ${i}`),
    length,
    height: SIDE,
    width: SIDE,
    channels: 3,
    pixels: Uint8Array.from(
      { length: length * values },
      (_, i) => random.bits() & (255 >> Math.floor(i / values)),
    ),
    labels: Uint8Array.from({ length }, (_, i) => i % CLASSES),
  };
}

/** What weights are multiplied by, so that images still tell in the logits of deep networks. */
const GAIN = 1.5;

/** Weights as they are drawn, norms and biases with numbers that are neither 0 nor 1. */
function stateOf(pair: Adjoined, compression: number): State {
  const random = new Random(5, "state");
  const specs = adjoinedSpecs(pair);
  const state = initialize(specs, pair.base, () => random.normal());
  for (const { name, shape } of [...specs.parameters, ...specs.statistics]) {
    const values = state.get(name);
    if (!values) continue;
    if (shape.length > 1) {
      // The small network's sums have so many fewer terms.
      values.forEach((_, i) => values[i] *= GAIN * Math.sqrt(compression));
      continue;
    }
    const middle = /running_var|weight|gamma/.test(name) ? 1 : 0;
    values.forEach((_, i) => values[i] = middle + 0.3 * (2 * random.uniform() - 1));
  }
  return state;
}

/** Compares the small network as it is measured, as it is cut out, and as onnxruntime has it. */
async function checkTwin(name: string, compression: number): Promise<string> {
  const pair = adjoin(model(name, { classes: CLASSES }), { compression, maskFrom: 1 });
  const state = stateOf(pair, compression);
  const small = extract(pair, state);
  const dataset = noise(4);
  const normalization = { mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] };
  const image = { height: SIDE, width: SIDE };
  const gpu = await Gpu.open();
  try {
    using scope = gpu.scope();
    const weights = new Weights(scope, adjoinedSpecs(pair), state);
    const extracted = { network: pair.small, state: small };
    const feed = { dataset, normalization, batch: 2, image };
    const measured = await compare(gpu, { adjoined: pair, weights, extracted, feed });
    if (!areEqual(measured)) throw new Error(`the small network differs: ${measured.maxError}`);
    const checkpoint: Checkpoint = {
      ...{ ...extracted, which: "small", classes: dataset.classes },
      ...{ image: [SIDE, SIDE, 3], normalization, top1: 0 },
    };
    const own = await KernelSession.open(scope, { checkpoint, dataset, batch: 2 });
    const { bytes } = encodeOnnx(checkpoint, { includeNormalization: false });
    const session = await OnnxSession.open(bytes, name);
    try {
      const [first] = new ValidationBatches({ dataset, batch: 2 });
      const logits = await session.logits(first);
      const spread = Math.max(
        ...logits.subarray(0, CLASSES).map((logit, c) => Math.abs(logit - logits[CLASSES + c])),
      );
      if (!(spread > 1e-2)) throw new Error(`two images differ by ${spread} in their logits`);
      const sessions = [(b: typeof first) => own.logits(b), (b: typeof first) => session.logits(b)];
      const exported = await compareLogits([sessions[0], sessions[1]], { dataset, batch: 2 });
      if (!areEqual(exported)) throw new Error(`onnxruntime differs: ${exported.maxError}`);
      return `${measured.maxError.toExponential(1)}, in onnxruntime ` +
        `${exported.maxError.toExponential(1)}; images differ by ${spread.toPrecision(2)}`;
    } finally {
      await session.close();
    }
  } finally {
    gpu.destroy();
  }
}

/** Trains an epoch on a few pictures, and demands the proof. */
async function trainOnce(name: string, pictures: string, output: string): Promise<void> {
  const args = [
    ...["run", "--allow-all", "cli/main.ts", "train"],
    ...["--data-dir", pictures, "--model", name, "--image-size", `${SIDE}`],
    ...["--epochs", "1", "--batch-size", "4", "--output", output, "--quiet"],
  ];
  const { code, stderr } = await new Deno.Command("deno", { args, cwd: ROOT }).output();
  if (code === 0) return;
  throw new Error(`training ended with ${code}: ${new TextDecoder().decode(stderr)}`);
}

/** Checks a share of the models. Raises an `Error` that counts those of which something is wrong. */
export async function families(share: number, print: (line: string) => void): Promise<void> {
  const models = MODELS.slice(0, Math.ceil(MODELS.length * share));
  let faults = 0;
  const attempt = async (what: string, check: () => Promise<string | void>): Promise<void> => {
    try {
      print(`${what}: ${await check() ?? "holds"}`);
    } catch (error) {
      faults++;
      print(`${what} FAILED: ${error instanceof Error ? error.message : error}`);
    }
  };
  await withFolder(async (dir) => {
    for (const half of ["train", "val"]) {
      for (let i = 0; i < 8; i++) {
        const colour = [200 * (i % 2), 90 + 10 * i, 60];
        const bytes = await onePicture({ width: 80, height: 70, colour });
        await makeFiles(`${dir}/pictures`, { [`${half}/${"ab"[i % 2]}/${i}.png`]: bytes });
      }
    }
    for (const name of models) {
      for (const compression of COMPRESSIONS) {
        await attempt(`${name}, compression ${compression}`, () => checkTwin(name, compression));
      }
      await attempt(
        `${name}, an epoch`,
        () => trainOnce(name, `${dir}/pictures`, `${dir}/run-${name}`),
      );
    }
    const python = await pythonWithTorch();
    if (!python || !await hasTorchvision(python)) return print("there is no torchvision here");
    for (const pair of TORCHVISION.slice(0, Math.ceil(TORCHVISION.length * share))) {
      const what = `${pair[0]}, torchvision's weights`;
      await attempt(what, () => compareWithTorchvision(python, dir, [pair]));
    }
  });
  if (faults) throw new Error(`${faults} checks failed`);
}
