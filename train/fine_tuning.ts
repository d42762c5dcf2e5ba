import type { Gpu } from "../kernels/gpu.ts";
import { elements } from "../kernels/gpu/tensor.ts";
import { plural } from "../data/words.ts";
import { extract } from "../nn/compress/adjoined_state.ts";
import type { State } from "../nn/parameters.ts";
import { networkSpecs, type StateSpecs, storedState } from "../nn/state.ts";
import type { ByNetwork } from "../nn/which.ts";
import { learn, type Learned } from "./epochs.ts";
import type { Estimate } from "./estimate.ts";
import { Evaluation } from "./evaluation.ts";
import { encoderOf, widthsFiles } from "./finish.ts";
import { demandFiniteState } from "./finite.ts";
import { type BeforeTuning, beforeTuning, FrozenBase } from "./frozen_base.ts";
import { ImageWork } from "./image_work.ts";
import { type Job, learnerOf } from "./job.ts";
import { lossFor } from "./loss_of_options.ts";
import { specsOf, tunedName, valuesOfTuned } from "./objective.ts";
import { Predictions } from "./predictions.ts";
import type { Course } from "./resume/course.ts";
import type { TrainingState } from "./resume/training_state.ts";
import type { EpochMetrics, Reporter, Verification } from "./types.ts";

/** What a run has come to, and the files of its networks. */
export interface Trained extends Learned {
  readonly files: Map<string, Uint8Array>;
  readonly verify: ByNetwork<Verification>;
}

/** Where a fine-tuning begins: all networks are trained, and the small ones proven. */
export interface Begun {
  /** Values of adjoined networks. */
  readonly state: State;
  readonly before: BeforeTuning;
  readonly history: readonly EpochMetrics[];
  /** What all that took. */
  readonly secondsBefore: number;
}

/** Whether small networks are fine-tuned after the training of a job. */
export function isFineTuned({ objective, options: { finetuneEpochs } }: Job): boolean {
  return objective.mode === "adjoined" && finetuneEpochs > 0;
}

/** The job of the fine-tuning: small networks with weights of their own, taught by the base. */
function tuningJob(job: Job, { epochs }: BeforeTuning): Job {
  const { pairs, options } = job;
  const [{ base: teacher }] = pairs;
  const objective = { mode: "finetune", smalls: pairs, teacher, loss: lossFor(options) } as const;
  return { ...job, objective, epochsBefore: epochs };
}

/** Values of small networks that are their own, out of those of adjoined networks. */
function ownState({ pairs }: Job, state: State): State {
  return new Map(
    pairs.flatMap((pair) =>
      [...extract(pair, state)].map(([name, values]) =>
        [tunedName(pair.which, name), values] as const
      )
    ),
  );
}

/** Values that a state is about to be written over. */
function zeros({ parameters, statistics }: StateSpecs): State {
  return new Map(
    [...parameters, ...statistics].map(({ name, shape }) => [
      name,
      new Float32Array(elements(shape)),
    ]),
  );
}

/**
 * Trains the small networks alone against the base network, which stays as it is, and encodes all of
 * them. Goes on from a state of the fine-tuning, or begins it.
 */
export async function fineTune(
  gpu: Gpu,
  trained: Job,
  { begun, from, reporter, estimate, course, phase }: {
    readonly begun?: Begun;
    readonly from?: TrainingState;
    readonly reporter: Reporter;
    readonly estimate: Estimate;
    readonly course: Course;
    readonly phase: string;
  },
): Promise<Trained> {
  const before = begun?.before ?? (from && beforeTuning(from));
  if (!before) throw new TypeError("Cannot fine-tune: wanted trained networks, found none");
  const job = tuningJob(trained, before);
  const { pairs, split, options } = job;
  const { normalization } = split;
  const [{ base }] = pairs;
  using scope = gpu.scope();
  const specs = specsOf(job.objective);
  const learner = learnerOf(scope, job, begun ? ownState(job, begun.state) : zeros(specs));
  const state = begun ? storedState(base, begun.state) : zeros(networkSpecs(base));
  const frozen = new FrozenBase(scope, { network: base, state, normalization, before });
  reporter.note(
    `fine-tuning ${pairs.map(({ which }) => which).join(", ")} for ${
      plural(options.finetuneEpochs, "epoch")
    } against the base network, which stays as it is`,
  );
  const weights = { learner, teacher: frozen, frozen };
  const { scores, predictions, history } = await learn(gpu, job, {
    ...{ weights, reporter, estimate, course, phase, from },
    before: begun?.history,
    secondsBefore: begun?.secondsBefore,
  });
  const evaluation = await Evaluation.trace(scope, {
    objective: { mode: "plain", which: "base", network: base },
    weights: frozen.weights,
    feed: job.validationFeed,
  });
  const ofBase = new Predictions(split.validation.classes.length);
  const work = { what: "base network", total: split.validation.length };
  const { base: score = before.base } = await evaluation.scores(
    job.validation,
    new ImageWork({ work, reporter }),
    { to: { base: ofBase }, ahead: 1 },
  );
  const all = { ...scores, base: score };
  const found = await learner.measured.read();
  demandFiniteState(found, options);
  const encode = encoderOf(job, all);
  const files = new Map(widthsFiles(job));
  files.set("base.safetensors", encode("base", base, await frozen.weights.read()));
  for (const { which, small } of pairs) {
    files.set(`${which}.safetensors`, encode(which, small, valuesOfTuned(which, found)));
  }
  return {
    ...{ scores: all, history, files, verify: before.verify },
    predictions: { base: ofBase, ...predictions },
  };
}
