import { printableJson } from "../data/printable.ts";
import type { Tensor } from "../kernels/gpu/tensor.ts";
import { addLossTerm } from "../kernels/ops/add_loss_term.ts";
import { adjoinedLoss } from "../kernels/ops/adjoined_loss.ts";
import { crossEntropy } from "../kernels/ops/cross_entropy.ts";
import { distDivergence } from "../kernels/ops/dist_divergence.ts";
import { dkdDivergence } from "../kernels/ops/dkd_divergence.ts";
import { klDivergence } from "../kernels/ops/kl_divergence.ts";
import { checkChoice } from "../nn/options.ts";
import type { Apply } from "../nn/tape.ts";
import { DIVERGENCE_PARTS, DIVERGENCES, isPapers, type PairLoss } from "./divergences.ts";

/** What losses are taken over. */
export interface LossOperands {
  /** How they are recorded. */
  readonly apply: Apply;
  /** `[batch]`, u32. */
  readonly labels: Tensor;
  /** Of mixed images: the label of the second one, and the share of the first. */
  readonly mix?: { readonly others: Tensor; readonly shares: Tensor };
  /** `[classes]`: the weight of each class in cross entropies. */
  readonly classWeights?: Tensor;
  /** `[1]`: the weight of divergences. */
  readonly lambda: Tensor;
  /** The share of the target that is spread evenly over all classes, in [0, 1). */
  readonly labelSmoothing: number;
}

/** A loss `[1]`, and its parts `[4]`: (loss, cross entropy, divergence, 1). */
export type Loss = readonly [loss: Tensor, parts: Tensor];

/** Raises a `RangeError` for a divergence that there is not, and a `TypeError` for weights of parts. */
export function checkPairLoss({ divergence, parts }: PairLoss): void {
  checkChoice("use a loss", "divergence", divergence, DIVERGENCES);
  if (parts === undefined || divergence === "kl") return;
  if (Array.isArray(parts) && parts.length === 2) return;
  throw new TypeError(
    `Cannot use a loss: wanted the weights of two parts of ${divergence}, found ` +
      printableJson(parts),
  );
}

function recordCrossEntropy(
  logits: Tensor,
  { apply, labels, mix, classWeights, labelSmoothing }: LossOperands,
): readonly Tensor[] {
  const inputs = [logits, labels];
  if (mix) inputs.push(mix.others, mix.shares);
  if (classWeights) inputs.push(classWeights);
  const attributes = { labelSmoothing, mixed: mix !== undefined, weighted: !!classWeights };
  return apply(crossEntropy, inputs, attributes);
}

function recordDivergence(
  base: Tensor,
  small: Tensor,
  { apply, labels, mix }: LossOperands,
  { divergence, temperature, parts, detach }: PairLoss & { readonly detach: boolean },
): Tensor {
  const attributes = { temperature, detach };
  switch (divergence) {
    case "kl":
      return apply(klDivergence, [base, small], attributes)[0];
    case "dist": {
      const [beta, gamma] = parts ?? DIVERGENCE_PARTS.dist;
      return apply(distDivergence, [base, small], { ...attributes, beta, gamma })[0];
    }
    case "dkd": {
      const [alpha, beta] = parts ?? DIVERGENCE_PARTS.dkd;
      const targets = mix ? [labels, mix.others, mix.shares] : [labels];
      const own = { ...attributes, alpha, beta, mixed: mix !== undefined };
      return apply(dkdDivergence, [base, small, ...targets], own)[0];
    }
  }
}

/**
 * Records what a small network adds to a loss: lambda times its divergence from the base network and,
 * where it has a weight, its own cross entropy. Without a loss before, the latter has to have one.
 */
export function recordSmallTerm(
  [loss, parts]: Loss,
  { base, small }: { readonly base: Tensor; readonly small: Tensor },
  operands: LossOperands,
  settings: PairLoss & { readonly detach: boolean },
): Loss {
  const { apply, lambda } = operands;
  const { smallCrossEntropy } = settings;
  const divergence = recordDivergence(base, small, operands, settings);
  const own = smallCrossEntropy > 0 ? [recordCrossEntropy(small, operands)[0]] : [];
  const inputs = [loss, parts, divergence, lambda, ...own];
  const [sum, partsOfSum] = apply(addLossTerm, inputs, { smallCrossEntropy });
  return [sum, partsOfSum];
}

/**
 * Records the loss of a base network and of small ones that learn from it, all on logits `[batch,
 * classes]`:
 *
 *     cross entropy(base, labels)
 *       + Σ over small networks (lambda D(base, small) + smallCrossEntropy · cross entropy(small, labels))
 *
 * That of the paper with one small network is a single op.
 */
export function recordPairLoss(
  { base, smalls }: { readonly base: Tensor; readonly smalls: readonly Tensor[] },
  operands: LossOperands,
  settings: PairLoss & { readonly detach: boolean },
): Loss {
  checkPairLoss(settings);
  const { apply, labels, mix, classWeights, lambda, labelSmoothing } = operands;
  if (smalls.length === 1 && isPapers(settings)) {
    const inputs = [base, smalls[0], labels, lambda];
    if (mix) inputs.push(mix.others, mix.shares);
    if (classWeights) inputs.push(classWeights);
    const [loss, parts] = apply(adjoinedLoss, inputs, {
      ...{ labelSmoothing, mixed: mix !== undefined, weighted: !!classWeights },
      detach: settings.detach,
    });
    return [loss, parts];
  }
  const [loss, parts] = recordCrossEntropy(base, operands);
  return smalls.reduce<Loss>(
    (before, small) => recordSmallTerm(before, { base, small }, operands, settings),
    [loss, parts],
  );
}

/**
 * Records the loss of a network that a frozen teacher teaches, on logits `[batch, classes]`: cross
 * entropy(small, labels) + lambda D(teacher, small).
 */
export function recordTaughtLoss(
  { small, teacher }: { readonly small: Tensor; readonly teacher: Tensor },
  operands: LossOperands,
  settings: PairLoss,
): Loss {
  checkPairLoss(settings);
  const [loss, parts] = recordCrossEntropy(small, operands);
  const term = { ...settings, smallCrossEntropy: 0, detach: true };
  return recordSmallTerm([loss, parts], { base: teacher, small }, operands, term);
}
