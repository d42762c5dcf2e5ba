import type { Estimate } from "./estimate.ts";
import type { Evaluation } from "./evaluation.ts";
import type { Gates } from "./gates.ts";
import type { Job } from "./job.ts";
import type { Pace } from "./pace.ts";
import type { Predictions } from "./predictions.ts";
import type { Course } from "./resume/course.ts";
import type { Saving } from "./resume/saving.ts";
import type { Position, TrainingState } from "./resume/training_state.ts";
import type { TrainingStep } from "./step.ts";
import type { Reporter, Score } from "./types.ts";
import type { ByNetwork } from "../nn/which.ts";

/** A run in progress. */
export interface Run {
  readonly job: Job;
  readonly course: Course;
  /** The name of what is trained in its states. */
  readonly phase: string;
  /** The state of this phase that the run has gone on from. */
  readonly from?: TrainingState;
  readonly step: TrainingStep;
  readonly evaluation: Evaluation;
  readonly gates?: Gates;
  /** What networks do that are not trained any more. */
  readonly frozen?: ByNetwork<Score>;
  readonly reporter: Reporter;
  /** Has been told the work of this run. */
  readonly estimate: Estimate;
  readonly validationPace: Pace;
  /** What the networks said of the validation images, where that was wanted last. */
  predictions: ByNetwork<Predictions>;
  readonly saving: Saving;
  /** Where the run is. */
  position: Position;
  /** Steps that did not count and have been told of. */
  lost: number;
  /** Whether steps have been run: the first one compiles kernels. */
  warm: boolean;
}
