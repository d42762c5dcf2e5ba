import { printableJson } from "../data/printable.ts";
import { crossEntropy } from "../kernels/ops/cross_entropy.ts";
import { distillationLoss } from "../kernels/ops/distillation_loss.ts";
import type { Tensor } from "../kernels/gpu/tensor.ts";
import type { Adjoined } from "../nn/compress/adjoin.ts";
import { drawsNoise, runNetwork, type Running } from "../nn/forward.ts";
import { runPairs } from "../nn/compress/run_adjoined.ts";
import { pairsIn } from "../nn/compress/pairs.ts";
import { checkChoice } from "../nn/options.ts";
import type { Network } from "../nn/network.ts";
import { runSearch, type Search } from "../nn/compress/searchable.ts";
import type { State } from "../nn/parameters.ts";
import { joinSpecs, networkSpecs, type StateSpecs } from "../nn/state.ts";
import { adjoinedSpecs } from "../nn/compress/adjoined_state.ts";
import { type ByNetwork, entriesOf, isWhich, type Which } from "../nn/which.ts";
import { type PairLoss, PAPER_LOSS } from "./divergences.ts";
import { type LossOperands, recordPairLoss, recordTaughtLoss } from "./pair_loss.ts";

/**
 * What is trained: an adjoined pair or several over one base network, one whose widths are searched,
 * one network, one network with a frozen teacher, or small networks with the frozen base network.
 */
export type Objective =
  | (SmallLearning & {
    readonly mode: "adjoined";
    readonly adjoined: Adjoined | readonly Adjoined[];
    /** Of several small networks: those that are run, and learn. Default: all. */
    readonly trained?: readonly Which[];
  })
  | (SmallLearning & { readonly mode: "search"; readonly search: Search })
  | { readonly mode: "plain"; readonly which: Which; readonly network: Network }
  | {
    readonly mode: "distill";
    readonly which: Which;
    readonly network: Network;
    readonly teacher: Network;
    /** Default: cross entropy + KL divergence. */
    readonly loss?: PairLoss;
  }
  | {
    /** Small networks with weights of their own, named as {@link tunedName} says. */
    readonly mode: "finetune";
    readonly smalls: readonly Pick<Adjoined, "which" | "small">[];
    /** The base network, which is frozen. */
    readonly teacher: Network;
    /** Default: {@link PAPER_LOSS}. */
    readonly loss?: PairLoss;
  };

/** The name of a value of a small network that is fine-tuned. */
export function tunedName(which: Which, name: string): string {
  return `${which}/${name}`;
}

/** How a small network learns from the base network. */
export interface SmallLearning {
  /** Whether the base network learns nothing from the small one. */
  readonly detach: boolean;
  /** Default: {@link PAPER_LOSS}. */
  readonly loss?: PairLoss;
}

/** Logits by network. */
export type Logits = ByNetwork<Tensor>;

/** The values of one of the small networks that are fine-tuned, under its own names. */
export function valuesOfTuned(which: Which, state: State): State {
  const prefix = tunedName(which, "");
  return new Map(
    [...state].flatMap(([name, values]) =>
      name.startsWith(prefix) ? [[name.slice(prefix.length), values] as const] : []
    ),
  );
}

const MODES = ["adjoined", "search", "plain", "distill", "finetune"] as const;

/** Raises a `RangeError` for what is no name of a network. */
function checkWhich(action: string, which: unknown): void {
  if (isWhich(which)) return;
  throw new RangeError(
    `Cannot ${action}: wanted base, small or a name that begins with small- as which, found ` +
      printableJson(which),
  );
}

/** Raises a `RangeError` for another mode or network, a `TypeError` for what its mode lacks. */
function checkObjective(objective: Objective): void {
  const action = "use an objective";
  checkChoice(action, "mode", objective.mode ?? null, MODES);
  if ("network" in objective) checkWhich(action, objective.which);
  const { mode } = objective;
  const needed = {
    ...{ adjoined: "adjoined", search: "search", plain: "network", distill: "teacher" },
    finetune: "smalls",
  };
  if (!(needed[mode] in objective)) {
    throw new TypeError(`Cannot ${action} of mode ${mode}: wanted ${needed[mode]}, found none`);
  }
  const pair = mode === "adjoined" || mode === "search";
  if (pair && typeof objective.detach !== "boolean") {
    throw new TypeError(
      `Cannot ${action}: wanted detach to be true or false, found ${
        printableJson(objective.detach)
      }`,
    );
  }
}

/** The pairs over one base network that an objective trains; none where it trains one network. */
export function pairsOf(objective: Objective): readonly Adjoined[] {
  checkObjective(objective);
  if (objective.mode === "adjoined") return pairsIn(objective.adjoined);
  return objective.mode === "search" ? [objective.search.adjoined] : [];
}

function tunedSpecs({ which, small }: Pick<Adjoined, "which" | "small">): StateSpecs {
  const { parameters, statistics } = networkSpecs(small);
  const named = (specs: StateSpecs["parameters"]): StateSpecs["parameters"] =>
    specs.map(({ name, shape }) => ({ name: tunedName(which, name), shape }));
  return { parameters: named(parameters), statistics: named(statistics) };
}

/** Names and shapes of what an objective trains. */
export function specsOf(objective: Objective): StateSpecs {
  const pairs = pairsOf(objective);
  if (pairs.length) return adjoinedSpecs(pairs);
  if ("network" in objective) return networkSpecs(objective.network);
  if (objective.mode === "finetune") return joinSpecs(objective.smalls.map(tunedSpecs));
  throw new TypeError(`Cannot list the parameters of mode ${objective.mode}`);
}

/** The networks that an objective trains. */
export function networksOf(objective: Objective): ByNetwork<Network> {
  const pairs = pairsOf(objective);
  if (pairs.length) {
    const [{ base }] = pairs;
    return { base, ...Object.fromEntries(pairs.map(({ which, small }) => [which, small])) };
  }
  if (objective.mode === "finetune") {
    return Object.fromEntries(objective.smalls.map(({ which, small }) => [which, small]));
  }
  return "network" in objective ? { [objective.which]: objective.network } : {};
}

/** Whether what an objective trains draws random numbers, so that a step needs noise. */
export function drops(objective: Objective): boolean {
  return Object.values(networksOf(objective)).some(drawsNoise);
}

/** Records the logits of what is trained; a search needs gates `[groups, candidates]`. */
export function logitsOf(
  objective: Objective,
  image: Tensor,
  running: Pick<Running, "apply" | "parameter" | "training" | "noise">,
  gates?: Tensor,
): Logits {
  switch (objective.mode) {
    case "adjoined": {
      const { trained } = objective;
      const pairs = pairsOf(objective).filter(({ which }) => trained?.includes(which) ?? true);
      const { base, smalls } = runPairs(pairs, image, running);
      return { base, ...Object.fromEntries(pairs.map(({ which }, i) => [which, smalls[i]])) };
    }
    case "search":
      if (!gates) throw new TypeError("Cannot run a search: the gates are missing");
      return runSearch(objective.search, image, gates, running);
    case "finetune":
      return Object.fromEntries(objective.smalls.map(({ which, small }) => {
        const parameter = (name: string): Tensor => running.parameter(tunedName(which, name));
        return [which, runNetwork(small, image, { ...running, parameter })];
      }));
    default:
      return { [objective.which]: runNetwork(objective.network, image, running) };
  }
}

/** What the loss is taken over. */
export interface LossInputs extends LossOperands {
  /** `[batch, classes]` of each network that is trained. */
  readonly logits: Logits;
  /** The teacher's logits, for distillation. */
  readonly teacher?: Tensor;
}

function need(logits: Logits, which: Which): Tensor {
  const found = logits[which];
  if (!found) throw new TypeError(`Cannot take the loss: the logits of ${which} are missing`);
  return found;
}

/** Records the loss; gives it and (loss, cross entropy, KL, 1). */
export function lossOf(objective: Objective, inputs: LossInputs): readonly Tensor[] {
  const { apply, logits, labels, teacher, labelSmoothing, mix, classWeights } = inputs;
  const target = mix ? [mix.others, mix.shares] : [];
  if (classWeights) target.push(classWeights);
  const attributes = { labelSmoothing, mixed: mix !== undefined, weighted: !!classWeights };
  if (objective.mode === "adjoined" || objective.mode === "search") {
    const { detach, loss = PAPER_LOSS } = objective;
    const smalls = entriesOf(logits).flatMap(([which, of]) => which === "base" ? [] : [of]);
    if (!smalls.length) need(logits, "small");
    return recordPairLoss({ base: need(logits, "base"), smalls }, inputs, { ...loss, detach });
  }
  if (objective.mode === "finetune") {
    if (!teacher) throw new TypeError("Cannot fine-tune: the base network's logits are missing");
    const smalls = objective.smalls.map(({ which }) => need(logits, which));
    const settings = { ...objective.loss ?? PAPER_LOSS, detach: true };
    return recordPairLoss({ base: teacher, smalls }, inputs, settings);
  }
  const own = need(logits, objective.which);
  if (objective.mode === "plain") return apply(crossEntropy, [own, labels, ...target], attributes);
  if (!teacher) throw new TypeError("Cannot distill: the teacher's logits are missing");
  if (objective.loss) return recordTaughtLoss({ small: own, teacher }, inputs, objective.loss);
  return apply(distillationLoss, [own, teacher, labels, ...target], attributes);
}
