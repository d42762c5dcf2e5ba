import type { Normalization } from "../data/dataset.ts";
import type { Scope } from "../kernels/program/scope.ts";
import type { Network } from "../nn/network.ts";
import type { Parameters, State } from "../nn/parameters.ts";
import { networkSpecs } from "../nn/state.ts";
import { type ByNetwork, entriesOf, isWhich } from "../nn/which.ts";
import { Weights } from "./learner.ts";
import type { Stateful } from "./resume/stateful.ts";
import type { TrainingState } from "./resume/training_state.ts";
import type { Teacher } from "./step.ts";
import type { Score, Verification } from "./types.ts";

/** What is known of the networks before small ones are fine-tuned. */
export interface BeforeTuning {
  /** Epochs that were trained. */
  readonly epochs: number;
  /** What the base network does on the validation images. */
  readonly base: Score;
  /** The proofs of the small networks that are fine-tuned. */
  readonly verify: ByNetwork<Verification>;
}

/** The number that says how many epochs came before, in states of a fine-tuning alone. */
const EPOCHS = "epochs before fine-tuning";

const BASE = "of the frozen base network";

const PROOF = "of the proof of ";

/** The groups of a training state that have the base network. */
export const FROZEN_GROUPS = ["base parameters", "base statistics"] as const;

/** Whether a state is one of a fine-tuning, whose base network stays as it is. */
export function isFineTuning({ numbers }: Pick<TrainingState, "numbers">): boolean {
  return Object.hasOwn(numbers, EPOCHS);
}

function numbersOf({ epochs, base, verify }: BeforeTuning): Record<string, number> {
  const proofs = entriesOf(verify).flatMap(([which, proof]) =>
    Object.entries(proof).map(([key, value]) => [`${key} ${PROOF}${which}`, value] as const)
  );
  const scores = Object.entries(base).map(([key, value]) => [`${key} ${BASE}`, value] as const);
  return { [EPOCHS]: epochs, ...Object.fromEntries([...scores, ...proofs]) };
}

/** What a state of a fine-tuning knows of the time before. */
export function beforeTuning({ numbers }: Pick<TrainingState, "numbers">): BeforeTuning {
  const of = (words: string) => (key: string): number => numbers[`${key} ${words}`];
  const names = Object.keys(numbers).flatMap((name) => {
    const which = name.split(PROOF)[1];
    return isWhich(which) ? [which] : [];
  });
  const score = of(BASE);
  return {
    epochs: numbers[EPOCHS],
    base: { top1: score("top1"), top5: score("top5"), loss: score("loss") },
    verify: Object.fromEntries([...new Set(names)].map((which) => {
      const proof = of(PROOF + which);
      return [which, {
        maxDifference: proof("maxDifference"),
        maxError: proof("maxError"),
        top1Agreement: proof("top1Agreement"),
        images: proof("images"),
      }];
    })),
  };
}

/** The base network of a fine-tuning: it teaches, and nothing changes it. */
export class FrozenBase implements Stateful, Teacher {
  readonly weights: Weights;
  readonly normalization: Normalization;
  /** What was known before. */
  readonly before: BeforeTuning;

  /** Takes memory for its weights, and writes them there. */
  constructor(
    scope: Scope,
    { network, state, normalization, before }: {
      readonly network: Network;
      readonly state: State;
      readonly normalization: Normalization;
      readonly before: BeforeTuning;
    },
  ) {
    this.weights = new Weights(scope, networkSpecs(network), state);
    this.normalization = normalization;
    this.before = before;
  }

  get groups(): Readonly<Record<string, Parameters>> {
    const [parameters, statistics] = FROZEN_GROUPS;
    return { [parameters]: this.weights.parameters, [statistics]: this.weights.statistics };
  }

  numbers(): Readonly<Record<string, number>> {
    return numbersOf(this.before);
  }
}
