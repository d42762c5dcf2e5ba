import type { Gpu } from "../kernels/gpu.ts";
import { fitted } from "./parts.ts";
import { Recovery } from "./recovery.ts";
import type { Course } from "./resume/course.ts";
import type { TrainingState } from "./resume/training_state.ts";
import type { Reporter, TrainOptions } from "./types.ts";

/** One attempt at a run, on a device that is new to it. */
export interface Attempt {
  readonly gpu: Gpu;
  /** Parts that each batch is computed in. */
  readonly parts: number;
  /** The state that it goes on from. Default: it begins. */
  readonly from?: TrainingState;
  /** Whether there was an attempt before. */
  readonly again: boolean;
}

/** What a run has to be given besides what it does. */
export interface OwnRun {
  readonly options: Pick<TrainOptions, "batchSize" | "gradAccumSteps">;
  readonly course: Course;
  readonly reporter: Reporter;
  /** Takes the memory of the run with its batches in so many parts, and gives it back. */
  readonly rehearse: (gpu: Gpu, parts: number) => Promise<void>;
  /** A device that stays open: the run has this one alone, and its batches in as many parts as asked. */
  readonly gpu?: Gpu;
  /** Opens a device. Default: that of the fastest adapter. */
  readonly open?: () => Promise<Gpu>;
  /** Seconds before each attempt after a loss: see {@link Recovery}. */
  readonly waits?: readonly number[];
}

/** Parts that a run begins with; those it has had before where it may choose. */
function firstParts({ gradAccumSteps }: OwnRun["options"], { from }: Course): number {
  const asked = gradAccumSteps === "auto" ? from?.run.options.gradAccumSteps : gradAccumSteps;
  return Number(asked ?? 1) || 1;
}

/**
 * Does a run on a GPU that is opened for it. Where that is lost, the run goes on from its last state
 * on another: see {@link Recovery}. Where it has too little memory, the run takes its batches in more
 * parts if it may, or raises an error that says what would fit: see {@link fitted}. On a GPU that is
 * given, both are errors.
 */
export async function onOwnGpu<T>(
  { options, course, reporter, rehearse, gpu, open, waits }: OwnRun,
  run: (attempt: Attempt) => Promise<T>,
): Promise<T> {
  if (gpu) {
    return await run({ gpu, parts: firstParts(options, course), from: course.from, again: false });
  }
  const { keeper } = course;
  const note = (text: string): void => reporter.note(text);
  let again = false;
  using recovery = new Recovery({ keeper, note, open, waits });
  const trial = async (parts: number): Promise<void> => {
    // What has failed on a device may tell of it later than that: each trial has its own.
    recovery[Symbol.dispose]();
    try {
      await recovery.run((gpu) => rehearse(gpu, parts));
    } finally {
      recovery[Symbol.dispose]();
    }
  };
  const attempt = async (parts: number): Promise<T> => {
    const last = again ? await keeper.last() : undefined;
    return await recovery.run((gpu, from) => {
      if (again && from) reporter.history?.(from.history);
      const now = { gpu, parts, from, again };
      again = true;
      return run(now);
    }, last ?? course.from);
  };
  return await fitted({
    batchSize: options.batchSize,
    parts: firstParts(options, course),
    auto: options.gradAccumSteps === "auto",
    trial,
    note,
  }, attempt);
}
