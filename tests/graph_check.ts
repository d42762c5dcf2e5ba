// What has to hold of every network and its twin: the small network that is measured is the one that
// is cut out, and the gradients are those of float64.
import { Random } from "../data/random.ts";
import type { Gpu } from "../kernels/gpu.ts";
import { adjoinedLoss } from "../kernels/ops/adjoined_loss.ts";
import { elements, type Tensor } from "../kernels/gpu/tensor.ts";
import type { Adjoined } from "../nn/compress/adjoin.ts";
import { adjoinedSpecs, extract } from "../nn/compress/adjoined_state.ts";
import { runAdjoined } from "../nn/compress/run_adjoined.ts";
import { runNetwork } from "../nn/forward.ts";
import type { State } from "../nn/parameters.ts";
import { initialize, networkSpecs } from "../nn/state.ts";
import { Tape } from "../nn/tape.ts";
import { applying, Learner, Weights } from "../train/learner.ts";
import { Float64Run } from "./float64_run.ts";
import { relativeL2 } from "./op_suite.ts";

/** Sides of the images; odd, and not alike. */
export const SIDES = { height: 9, width: 7 } as const;

const IMAGES = 3;

/** Weights and statistics of which none is 0 or 1: shifts above all. */
export function stateOf(adjoined: Adjoined, random: Random): State {
  const specs = adjoinedSpecs(adjoined);
  const state = initialize(specs, adjoined.base, () => random.normal());
  for (const { name, shape } of [...specs.parameters, ...specs.statistics]) {
    const values = state.get(name);
    if (name.endsWith("running_var")) values?.forEach((_, i) => values[i] = 0.5 + random.uniform());
    else if (shape.length === 1) values?.forEach((_, i) => values[i] = 0.7 * random.normal());
  }
  return state;
}

/** How far a network is from what it has to be, each over the size of what is wanted. */
export interface Distances {
  /** Of the logits of the small network that is measured from that which is cut out. */
  readonly extracted: number;
  /** Of both networks' logits in training from those in float64. */
  readonly logits: number;
  /** Of the slope along a random direction from that in float64, over the root of its terms' squares. */
  readonly slope: number;
}

/** Distances, and what rounding to float32 alone comes to in the same network. */
export interface Measured extends Distances {
  /**
   * How far float64 is moved where each value is, by the rounding of float32: a norm of nearly
   * constant values amplifies it. What float32 and kinks near a value leave open of a slope is there, too.
   */
  rounding(): Distances;
}

/** What layers draw from that drop values in training. */
const NOISE = [3, 14];

/** The step of the central difference, along a direction of length 1. */
const STEP = 1e-5;

/** Measures a pair of networks with weights, images and a direction drawn at random. */
export async function distancesOf(
  gpu: Gpu,
  adjoined: Adjoined,
  seed: number,
  sides: { readonly height: number; readonly width: number } = SIDES,
): Promise<Measured> {
  const random = new Random(seed, "graph check");
  const specs = adjoinedSpecs(adjoined);
  const state = stateOf(adjoined, random);
  const channels = adjoined.base.channels;
  const shape = [IMAGES, sides.height, sides.width, channels];
  const draw = (count: number): number[] => Array.from({ length: count }, () => random.normal());
  const pixels = draw(elements(shape));

  using scope = gpu.scope();
  const image = scope.tensor("image", shape, pixels);
  const optimizer = { name: "sgd", weightDecay: 0, nesterov: false } as const;
  const learner = new Learner(scope, { specs, state, optimizer });
  const alone = new Weights(scope, networkSpecs(adjoined.small), extract(adjoined, state));
  const kept: Tensor[] = [];
  const evaluation = await scope.trace("evaluation", (trace) => {
    const running = { apply: applying(trace), training: false };
    const { small } = runAdjoined(adjoined, image, { ...running, parameter: learner.tensor });
    kept.push(trace.keep(small));
    kept.push(
      trace.keep(runNetwork(adjoined.small, image, { ...running, parameter: alone.tensor })),
    );
  });
  evaluation.replay();
  const [measured, extracted] = await gpu.read(kept);

  const classes = measured.length / IMAGES;
  const labels = Array.from({ length: IMAGES }, () => random.integer(classes));
  const attributes = { labelSmoothing: 0, detach: false };
  const inputs = {
    labels: scope.tensor("labels", [IMAGES], labels, "u32"),
    lambda: scope.tensor("lambda", [1], [1]),
    one: scope.tensor("one", [1], [1]),
    noise: scope.tensor("noise", [2], NOISE, "u32"),
  };
  const outputs: Tensor[] = [];
  const training = await scope.trace("training", (trace) => {
    const tape = new Tape(trace, (p) => learner.gradient(p));
    const { apply } = tape;
    const { base, small } = runAdjoined(adjoined, image, {
      ...{ training: true, apply, parameter: learner.tensor, noise: inputs.noise },
    });
    const [loss] = apply(adjoinedLoss, [base, small, inputs.labels, inputs.lambda], attributes);
    outputs.push(trace.keep(base), trace.keep(small));
    tape.backward(loss, inputs.one);
  });
  training.replay();
  const [base, small, flat] = await gpu.read([...outputs, learner.gradients.flat]);
  const gradients = learner.gradients.split(Float32Array.from(flat));

  const given = (run: Float64Run, name: string, shape: readonly number[], data: number[]) =>
    run.tensor(name, { shape, data: Float64Array.from(data) });
  const pixels32 = pixels.map(Math.fround);

  /** Logits and loss in float64, all parameters moved by `step` along their directions. */
  const exact = (step: number, noise?: Random) => {
    const moved = new Map(
      [...state].map(([name, values]) => {
        const along = directions.get(name);
        return [name, Float64Array.from(values, (v, i) => v + (along ? step * along[i] : 0))];
      }),
    );
    const run = new Float64Run([...specs.parameters, ...specs.statistics], moved, noise);
    const { apply, parameter } = run;
    const logits = runAdjoined(adjoined, given(run, "image", shape, pixels32), {
      ...{ training: true, apply, parameter, noise: given(run, "noise", [2], NOISE) },
    });
    const [loss] = apply(adjoinedLoss, [
      ...[logits.base, logits.small],
      ...[given(run, "labels", [IMAGES], labels), given(run, "lambda", [1], [1])],
    ], attributes);
    return { base: run.read(logits.base), small: run.read(logits.small), loss: run.read(loss)[0] };
  };
  /** The slope of the loss along the directions. */
  const slopeOf = (step: number, noise?: () => Random): number =>
    (exact(step, noise?.()).loss - exact(-step, noise?.()).loss) / (2 * step);
  /** Logits of the small network in float64, as they are evaluated. */
  const evaluated = (noise?: Random): Float64Array => {
    const run = new Float64Run([...specs.parameters, ...specs.statistics], state, noise);
    const { apply, parameter } = run;
    const running = { training: false, apply, parameter };
    return run.read(runAdjoined(adjoined, given(run, "image", shape, pixels32), running).small);
  };
  const length = Math.sqrt(specs.parameters.reduce((sum, { shape }) => sum + elements(shape), 0));
  const directions = new Map(
    specs.parameters.map(({ name, shape }) =>
      [name, draw(elements(shape)).map((v) => v / length)] as const
    ),
  );
  const here = exact(0);
  const wanted = slopeOf(STEP);
  let slope = 0;
  let size = 0;
  for (const [name, along] of directions) {
    const found = gradients.get(name);
    along.forEach((d, i) => {
      slope += d * (found?.[i] ?? NaN);
      size += (d * (found?.[i] ?? NaN)) ** 2;
    });
  }
  const scale = Math.sqrt(size);
  return {
    extracted: relativeL2(measured, extracted),
    logits: Math.max(relativeL2(base, here.base), relativeL2(small, here.small)),
    slope: Math.abs(slope - wanted) / scale,
    rounding: () => {
      const noise = () => new Random(seed, "rounding");
      const moved = exact(0, noise());
      const slopes = [slopeOf(STEP, noise), slopeOf(STEP / 3)];
      return {
        extracted: relativeL2(evaluated(noise()), evaluated()),
        logits: Math.max(relativeL2(moved.base, here.base), relativeL2(moved.small, here.small)),
        slope: Math.max(...slopes.map((other) => Math.abs(other - wanted))) / scale,
      };
    },
  };
}
