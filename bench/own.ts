import config from "../deno.json" with { type: "json" };
import { identity } from "../data/augment.ts";
import { TrainingBatches } from "../data/batches.ts";
import type { Dataset } from "../data/dataset.ts";
import type { Gpu } from "../kernels/gpu.ts";
import type { Scope } from "../kernels/program/scope.ts";
import { model } from "../nn/families/mod.ts";
import type { State } from "../nn/parameters.ts";
import { networkSpecs, type StateSpecs } from "../nn/state.ts";
import { type ConvShape, ConvWork, jobOf, rehearse } from "./conv.ts";
import type { Peer } from "./peer.ts";
import { type Job, time, warm } from "./timing.ts";
import { type ConvolutionTask, labels, pixels, type StepTask, type Task } from "./work.ts";
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

async function convolution(scope: Scope, task: ConvolutionTask): Promise<Prepared> {
  const work = new ConvWork(scope, shapeOf(task), task.direction);
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

async function step(scope: Scope, task: StepTask): Promise<Prepared> {
  const { batch, size, classes, lr, momentum } = task;
  const network = model(task.model, {
    classes,
    ...task.blocks === "residual" && { stem: task.stem },
  });
  const specs = networkSpecs(network);
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
  const objective = { mode: "plain", which: "base", network } as const;
  const traced = await TrainingStep.trace(scope, { objective, learner, feed, labelSmoothing: 0 });
  const job = jobOf(scope.gpu, () => {
    traced.reset();
    traced.run(images, { lr, momentum, lambda: 1 });
  });
  return { job, copies: 1, check: async () => (await traced.read()).loss };
}

/** This project, as one of the peers. */
export class Own implements Peer {
  readonly name: string = config.name.split("/")[1];
  readonly version: string = config.version;
  readonly device: string;
  readonly #gpu: Gpu;
  #scope?: Scope;
  #prepared?: Prepared;
  #runs = 1;

  constructor(gpu: Gpu) {
    this.#gpu = gpu;
    this.device = `WebGPU, ${gpu.adapter}`;
  }

  /** Compiles and warms up a task; gives what all peers must agree on. */
  async prepare(task: Task): Promise<number> {
    this.#scope?.[Symbol.dispose]();
    await tuneTiles(
      this.#gpu,
      (scope) => task.kind === "step" ? step(scope, task) : rehearse(scope, shapeOf(task)),
    );
    const scope = this.#scope = this.#gpu.scope();
    this.#prepared = await (task.kind === "step" ? step(scope, task) : convolution(scope, task));
    this.#runs = await warm(this.#prepared.job, MOST_RUNS);
    return await this.#prepared.check();
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
