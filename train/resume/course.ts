import { type Keeper, MemoryKeeper } from "./keeper.ts";
import type { TrainingState } from "./training_state.ts";

/** How a run is kept from loss: where its checkpoints go, where it goes on from, when it stops. */
export interface Course {
  readonly keeper: Keeper;
  /** Where it goes on from. Default: it begins. */
  readonly from?: TrainingState;
  /** Whether to stop after the step that is being done; asked after each. */
  readonly stopped?: () => boolean;
  /** All options of the command, to be kept with each state. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Of a comparison: the runs that have ended, to be kept with each state. */
  readonly ended?: readonly string[];
}

/** Whether a run has to stop. */
export function isStopped({ stopped }: Course): boolean {
  return stopped?.() ?? false;
}

/** A course of a run that nothing is kept of on disk. */
export function courseInMemory(): Course {
  return { keeper: new MemoryKeeper() };
}

/** The state of a phase that a course goes on from; nothing where it is one of another phase. */
export function stateOf({ from }: Course, phase: string): TrainingState | undefined {
  return from?.phase === phase ? from : undefined;
}
