// The small network of a whole model: as it is measured, as it is cut out, and as onnxruntime has it.
import { ValidationBatches } from "../../data/batches.ts";
import type { Dataset } from "../../data/dataset.ts";
import { Random } from "../../data/random.ts";
import type { Checkpoint } from "../../export/checkpoint.ts";
import { encodeOnnx } from "../../export/onnx.ts";
import { OnnxSession } from "../../export/onnx_session.ts";
import type { Tensor } from "../../kernels/gpu/tensor.ts";
import { batchNorm } from "../../kernels/ops/batch_norm.ts";
import { adjoin, type Adjoined } from "../../nn/compress/adjoin.ts";
import { adjoinedSpecs, extract } from "../../nn/compress/adjoined_state.ts";
import { runSmalls } from "../../nn/compress/run_adjoined.ts";
import { model } from "../../nn/families/mod.ts";
import { runNetwork, type Running } from "../../nn/forward.ts";
import type { Apply } from "../../nn/layers/layer.ts";
import type { State } from "../../nn/parameters.ts";
import { initialize, networkSpecs, type StateSpecs } from "../../nn/state.ts";
import { KernelSession } from "../../train/kernel_session.ts";
import { Weights } from "../../train/learner.ts";
import type { Verification } from "../../train/types.ts";
import { areEqual, compare, compareLogits, type LogitsOf } from "../../train/verify.ts";
import { Float64Run } from "../float64_run.ts";
import { type Found, whereItFits } from "../where_it_fits.ts";

const CLASSES = 4;
const IMAGES = 4;
const BATCH = 2;
const NORMALIZATION = { mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] };

/** Noise, of each image half as bright as of the one before. */
function noise(side: number): Dataset {
  const random = new Random(3, "pixels");
  const values = side * side * 3;
  return {
    name: "noise",
    classes: Array.from({ length: CLASSES }, (_, i) => `class ${i}`),
    length: IMAGES,
    height: side,
    width: side,
    channels: 3,
    pixels: Uint8Array.from(
      { length: IMAGES * values },
      (_, i) => random.bits() & (255 >> Math.floor(i / values)),
    ),
    labels: Uint8Array.from({ length: IMAGES }, (_, i) => i % CLASSES),
  };
}

/** What weights are multiplied by, so that networks without norms keep the size of their values. */
const GAIN = 1.5;

/** Scales and shifts of norms: most of what is normed, but not all, passes a ReLU, and a ReLU6. */
const NORMED = 2;

/** Weights as they are drawn, norms and biases with numbers that are neither 0 nor 1. */
function drawn(pair: Adjoined, compression: number): State {
  const random = new Random(5, "state");
  const specs = adjoinedSpecs(pair);
  const state = initialize(specs, pair.base, () => random.normal());
  for (const { name, shape } of specs.parameters) {
    const values = state.get(name);
    if (!values) continue;
    if (shape.length > 1) {
      // The small network's sums have so many fewer terms.
      values.forEach((_, i) => values[i] *= GAIN * Math.sqrt(compression));
      continue;
    }
    const middle = name.endsWith(".gamma") ? 1 : NORMED;
    values.forEach((_, i) => values[i] = middle * (1 + 0.3 * (2 * random.uniform() - 1)));
  }
  return state;
}

/** Images in float64, normalised. */
function imagesOf(run: Float64Run, pixels: Uint8Array, dataset: Dataset): Tensor {
  const { height, width, channels } = dataset;
  const { mean: [mean], std: [std] } = NORMALIZATION;
  const shape = [pixels.length / (height * width * channels), height, width, channels];
  const data = Float64Array.from(pixels, (byte) => (byte / 255 - mean) / std);
  return run.tensor("images", { shape, data });
}

function exactRun({ parameters, statistics }: StateSpecs, state: State): Float64Run {
  return new Float64Run([...parameters, ...statistics], state);
}

/**
 * A state with the statistics that the images have in the small network, in float64: with others,
 * values cancel or grow through dozens of layers, and what rounding comes to grows with them.
 */
function withStatistics(pair: Adjoined, state: State, dataset: Dataset): State {
  const run = exactRun(adjoinedSpecs(pair), state);
  const found = new Map<string, Float32Array>();
  const apply: Apply = (op, inputs, attributes) => {
    const outputs = run.apply(op, inputs, attributes);
    if (op.name === batchNorm.name) {
      for (const k of [1, 2]) {
        found.set(inputs[k + 2].name, Float32Array.from(run.read(outputs[k])));
      }
    }
    return outputs;
  };
  const running = { apply, parameter: run.parameter, training: true, momentum: 1, noise: null };
  runSmalls(pair, imagesOf(run, dataset.pixels, dataset), { trunk: running, small: running });
  return new Map([...state, ...found]);
}

/** Gives logits in float64. */
function exactLogits(
  run: Float64Run,
  dataset: Dataset,
  record: (images: Tensor, running: Running) => Tensor,
): LogitsOf {
  return ({ pixels }) => {
    const running = { apply: run.apply, parameter: run.parameter, training: false };
    const logits = run.read(record(imagesOf(run, pixels, dataset), running));
    return Promise.resolve(Float32Array.from(logits));
  };
}

/** A pair, its state, the small network as it is saved, and images. */
interface Twins {
  readonly pair: Adjoined;
  readonly state: State;
  readonly checkpoint: Checkpoint;
  readonly dataset: Dataset;
}

/** Compares the small network that is measured with the one that is cut out. */
function measuredAndExtracted(
  { pair, state, checkpoint, dataset }: Twins,
): Promise<Found<Verification>> {
  const { network, image: [height, width], normalization } = checkpoint;
  const specs = adjoinedSpecs(pair);
  return whereItFits(async (gpu) => {
    using scope = gpu.scope();
    const feed = { dataset, normalization, batch: BATCH, image: { height, width } };
    const weights = new Weights(scope, specs, state);
    return await compare(gpu, { adjoined: pair, weights, extracted: checkpoint, feed });
  }, () => {
    const [whole, cut] = [
      exactRun(specs, state),
      exactRun(networkSpecs(network), checkpoint.state),
    ];
    const measured = exactLogits(
      whole,
      dataset,
      (images, running) => runSmalls(pair, images, { trunk: running, small: running })[0],
    );
    const extracted = exactLogits(
      cut,
      dataset,
      (images, running) => runNetwork(network, images, running),
    );
    return compareLogits([measured, extracted], { dataset, batch: BATCH });
  });
}

/** Compares the network that is cut out with a file of it in onnxruntime. */
function ownAndExported(
  { checkpoint, dataset }: Twins,
  session: OnnxSession,
): Promise<Found<Verification>> {
  const { network, state } = checkpoint;
  const exported: LogitsOf = (batch) => session.logits(batch);
  return whereItFits(async (gpu) => {
    using scope = gpu.scope();
    const own = await KernelSession.open(scope, { checkpoint, dataset, batch: BATCH });
    return await compareLogits([(batch) => own.logits(batch), exported], { dataset, batch: BATCH });
  }, () => {
    const own = exactLogits(
      exactRun(networkSpecs(network), state),
      dataset,
      (images, running) => runNetwork(network, images, running),
    );
    return compareLogits([own, exported], { dataset, batch: BATCH });
  });
}

/** How much two images differ in the logits of a session. */
async function spreadOf(session: OnnxSession, dataset: Dataset): Promise<number> {
  const [batch] = new ValidationBatches({ dataset, batch: BATCH });
  const logits = await session.logits(batch);
  const first = logits.subarray(0, CLASSES);
  return Math.max(...first.map((logit, c) => Math.abs(logit - logits[CLASSES + c])));
}

/**
 * Compares the small network of a model as it is measured, as it is cut out, and as onnxruntime has
 * it, on images of so many pixels a side; says how far they are from each other. Raises an `Error`
 * where that is too far.
 */
export async function checkTwin(name: string, compression: number, side: number): Promise<string> {
  const pair = adjoin(model(name, { classes: CLASSES }), { compression, maskFrom: 1 });
  const dataset = noise(side);
  const state = withStatistics(pair, drawn(pair, compression), dataset);
  const checkpoint: Checkpoint = {
    ...{ network: pair.small, state: extract(pair, state), which: "small", top1: 0 },
    ...{ classes: dataset.classes, image: [side, side, 3], normalization: NORMALIZATION },
  };
  const twins = { pair, state, checkpoint, dataset };
  const measured = await measuredAndExtracted(twins);
  if (!areEqual(measured.found)) {
    throw new Error(`the small network differs: ${measured.found.maxError}${measured.where}`);
  }
  const { bytes } = encodeOnnx(checkpoint, { includeNormalization: false });
  const session = await OnnxSession.open(bytes, name);
  try {
    const spread = await spreadOf(session, dataset);
    if (!(spread > 1e-2)) throw new Error(`two images differ by ${spread} in their logits`);
    const exported = await ownAndExported(twins, session);
    if (!areEqual(exported.found)) {
      throw new Error(`onnxruntime differs: ${exported.found.maxError}${exported.where}`);
    }
    const words = ({ found: { maxError }, where }: Found<Verification>): string =>
      `${maxError.toExponential(1)}${where}`;
    return `${words(measured)}; onnxruntime's ${words(exported)}; ` +
      `images differ by ${spread.toPrecision(2)}`;
  } finally {
    await session.close();
  }
}
