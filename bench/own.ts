import config from "../deno.json" with { type: "json" };
import { identity } from "../data/augment.ts";
import { TrainingBatches } from "../data/batches.ts";
import type { Dataset } from "../data/dataset.ts";
import type { Gpu } from "../kernels/gpu.ts";
import type { Scope } from "../kernels/program/scope.ts";
import { model } from "../nn/families/mod.ts";
import type { State } from "../nn/parameters.ts";
import type { StateSpecs } from "../nn/state.ts";
import { type ConvShape, ConvWork, jobOf, rehearse } from "./conv.ts";
import type { Peer } from "./peer.ts";
import { type Job, time, warm } from "./timing.ts";
import type { Precision } from "../kernels/program/trace.ts";
import { adjoin } from "../nn/compress/adjoin.ts";
import { type Objective, specsOf } from "../train/objective.ts";
import {
  type Checked,
  type ConvolutionTask,
  labels,
  pixels,
  type StepTask,
  type Task,
} from "./work.ts";
import { weights } from "./work.ts";
import { Learner } from "../train/learner.ts";
import { TrainingStep } from "../train/step.ts";
import { tuneTiles } from "../cli/run/tile_cache.ts";

/** Runs between two waits, at most. */
const MOST_RUNS = 1024;

interface Prepared {
  readonly job: Job;
  readonly copies: number;
  readonly check: () => Promise<number>;
}

function shapeOf(task: ConvolutionTask): ConvShape {
  return { ...task, stride: 1, padding: task.kernel >> 1 };
}

async function convolution(
  scope: Scope,
  task: ConvolutionTask,
  precision: Precision,
): Promise<Prepared> {
  const work = new ConvWork(scope, shapeOf(task), { direction: task.direction, precision });
  const check = async (): Promise<number> => {
    let sum = 0;
    for (const value of Array.from(await work.result())) sum += Math.abs(value);
    return sum;
  };
  return { ...await work.job(), check };
}

/**
 * Convolutions and classifier as all peers draw them, norms at scale 1, biases 0. The last norm of a
 * bottleneck is at 0, as otherwise the loss of so deep a network leaps, and rounding with it.
 */
function stateOf(task: StepTask, { parameters, statistics }: StateSpecs): State {
  const zero = task.blocks === "residual" && task.bottleneck ? /bn3\.weight$/ : undefined;
  const state: State = new Map();
  let index = 0;
  for (const { name, shape } of [...parameters, ...statistics]) {
    const value = /_var$|\.weight$/.test(name) && !zero?.test(name) ? 1 : 0;
    state.set(
      name,
      shape.length > 1 ? weights(shape, index++) : new Float32Array(shape[0]).fill(value),
    );
  }
  return state;
}

function datasetOf(task: StepTask): Dataset {
  return {
    name: "the peers' images",
    classes: Array.from({ length: task.classes }, (_, i) => String(i)),
    length: task.batch,
    height: task.size,
    width: task.size,
    channels: 3,
    pixels: pixels(task),
    labels: labels(task),
  };
}

function objectiveOf(task: StepTask): Objective {
  const { classes, compression } = task;
  const network = model(task.model, {
    classes,
    ...task.blocks === "residual" && { stem: task.stem },
  });
  return compression === undefined
    ? { mode: "plain", which: "base", network }
    : { mode: "adjoined", adjoined: adjoin(network, { compression }), detach: false };
}

async function step(scope: Scope, task: StepTask, precision: Precision): Promise<Prepared> {
  const { batch, size, lr, momentum } = task;
  const objective = objectiveOf(task);
  const specs = specsOf(objective);
  const optimizer = { name: "sgd", weightDecay: 0, nesterov: false } as const;
  const learner = new Learner(scope, { specs, state: stateOf(task, specs), optimizer });
  const dataset = datasetOf(task);
  const [images] = new TrainingBatches({ dataset, batch, seed: 0, augment: identity }).epoch(0);
  const feed = {
    dataset,
    normalization: { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] },
    batch,
    image: { height: size, width: size },
  };
  const parts = { objective, learner, feed, labelSmoothing: 0, precision };
  const traced = await TrainingStep.trace(scope, parts);
  const job = jobOf(scope.gpu, () => {
    traced.reset();
    traced.run(images, { lr, momentum, lambda: 1 });
  });
  return { job, copies: 1, check: async () => (await traced.read()).loss };
}

/** This project, as one of the peers. */
export class Own implements Peer {
  readonly name: string;
  readonly version: string = config.version;
  readonly device: string;
  readonly alive = true;
  readonly #gpu: Gpu;
  readonly #precision: Precision;
  #scope?: Scope;
  #prepared?: Prepared;
  #runs = 1;

  /** Raises a {@link GpuError} for a precision that the adapter does not have. */
  constructor(gpu: Gpu, precision: Precision = "float32") {
    if (precision === "mixed") gpu.demandHalves();
    this.#gpu = gpu;
    this.#precision = precision;
    this.name = config.name.split("/")[1];
    this.device = `WebGPU, ${gpu.adapter}`;
  }

  /** Compiles and warms up a task; gives what all peers must agree on. */
  async prepare(task: Task): Promise<Checked> {
    const precision = this.#precision;
    this.#scope?.[Symbol.dispose]();
    await tuneTiles(
      this.#gpu,
      (scope) =>
        task.kind === "step"
          ? step(scope, task, precision)
          : rehearse(scope, shapeOf(task), precision),
    );
    const scope = this.#scope = this.#gpu.scope();
    const make = task.kind === "step"
      ? step(scope, task, precision)
      : convolution(scope, task, precision);
    this.#prepared = await make;
    const { bytes } = this.#gpu.live();
    this.#runs = await warm(this.#prepared.job, MOST_RUNS);
    return { check: await this.#prepared.check(), bytes };
  }

  /** Milliseconds of one run. */
  async run(): Promise<number> {
    if (!this.#prepared) throw new TypeError("Cannot run what is not prepared");
    const { job, copies } = this.#prepared;
    return await time(job, this.#runs) / copies;
  }

  /** Frees all memory. */
  close(): Promise<void> {
    this.#scope?.[Symbol.dispose]();
    return Promise.resolve();
  }
}
