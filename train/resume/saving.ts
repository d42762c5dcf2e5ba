import { tileChoices } from "../../kernels/conv/choices.ts";
import type { Gpu } from "../../kernels/gpu.ts";
import { divergedAt } from "../finite.ts";
import type { Job } from "../job.ts";
import { savedNetwork } from "../model_file.ts";
import { networksOf } from "../objective.ts";
import type { EpochMetrics, Which } from "../types.ts";
import type { Course } from "./course.ts";
import type { Snapshots } from "./snapshots.ts";
import type { Position, TrainingState } from "./training_state.ts";

/** The epochs of a training, without those of the search before it. */
export function trainedEpochs(history: readonly EpochMetrics[]): EpochMetrics[] {
  return history.filter(({ search }) => !search);
}

/** The accuracy of a network after each epoch; NaN where it was not measured. */
function accuracies(history: readonly EpochMetrics[], which: Which): number[] {
  return history.map(({ validation }) => validation[which]?.top1 ?? NaN);
}

/** The epoch, counted from 0, after which a network was best for the first time; -1 for none. */
export function bestEpoch(history: readonly EpochMetrics[], which: Which): number {
  return accuracies(history, which).reduce(
    (best, top1, epoch, all) => top1 > (all[best] ?? -Infinity) ? epoch : best,
    -1,
  );
}

/** Saves a run as it goes on: when, and all that goes into a state. */
export class Saving {
  /** All epochs so far, those of a search before those of the training after it. */
  history: EpochMetrics[];
  /** How often values were no numbers, so that the run went back. */
  failures: number;
  readonly #gpu: Gpu;
  readonly #job: Job;
  readonly #phase: string;
  readonly #course: Course;
  readonly #snapshots: Snapshots;
  readonly #began: number;
  #saved = performance.now();

  constructor({ gpu, job, phase, course, snapshots, history, secondsBefore, failures }: {
    readonly gpu: Gpu;
    readonly job: Job;
    readonly phase: string;
    readonly course: Course;
    readonly snapshots: Snapshots;
    readonly history: readonly EpochMetrics[];
    /** Seconds that the run had taken before. */
    readonly secondsBefore: number;
    readonly failures: number;
  }) {
    this.failures = failures;
    this.#gpu = gpu;
    this.#job = job;
    this.#phase = phase;
    this.#course = course;
    this.#snapshots = snapshots;
    this.history = [...history];
    this.#began = performance.now() - secondsBefore * 1000;
  }

  /** The factor on the learning rate: halved each time the run goes back. */
  get rate(): number {
    return 2 ** -this.failures;
  }

  /** Whether to save after so many steps of an epoch, by their number or the time. */
  isDue(step: number): boolean {
    const { checkpointSteps, checkpointMinutes } = this.#job.options;
    if (checkpointSteps !== undefined && step % checkpointSteps === 0) return true;
    return checkpointMinutes !== undefined &&
      performance.now() - this.#saved >= checkpointMinutes * 60_000;
  }

  /** The networks that are better after the last epoch than ever before. */
  #improved(): Which[] {
    const epochs = trainedEpochs(this.history).slice(this.#job.epochsBefore ?? 0);
    if (epochs.length === 0) return [];
    return (Object.keys(networksOf(this.#job.objective)) as Which[])
      .filter((which) => bestEpoch(epochs, which) === epochs.length - 1);
  }

  /**
   * Saves where the run is; waits for all submitted steps, but not for the disk. Raises a
   * `DivergedError` where values are no numbers, and saves nothing then.
   */
  async save(position: Position, { ended = false }: {
    /** Whether an epoch has ended there. */
    readonly ended?: boolean;
  } = {}): Promise<void> {
    const { tensors, numbers, wrong } = await this.#snapshots.take();
    if (wrong) throw divergedAt(wrong, position, this.#job.options);
    const { options, split: { train, normalization } } = this.#job;
    const { classes, height, width, channels } = train;
    const { adapter } = this.#gpu;
    const state: TrainingState = {
      phase: this.#phase,
      position,
      tensors,
      numbers: { ...numbers, rate: this.rate, failures: this.failures },
      history: this.history.slice(),
      seconds: (performance.now() - this.#began) / 1000,
      run: {
        adapter,
        tiles: tileChoices.of(this.#gpu).save(adapter),
        options,
        config: this.#course.config,
        ended: this.#course.ended,
        ...savedNetwork(this.#job.network),
        ...this.#job.ranks && { ranks: this.#job.ranks },
        classes,
        image: [height, width, channels],
        normalization,
      },
    };
    await this.#course.keeper.save(state, { best: ended ? this.#improved() : [] });
    this.#saved = performance.now();
  }

  /** Goes on from a state. */
  restore({ tensors, numbers, history }: TrainingState): void {
    this.#snapshots.put({ tensors, numbers });
    this.history = [...history];
  }
}
