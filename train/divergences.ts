/** The divergences that there are. */
export const DIVERGENCES = ["kl", "dist", "dkd"] as const;

/** How small networks learn from their base network. */
export interface PairLoss {
  /**
   * What is between their outputs: the Kullback-Leibler divergence, that of relations (DIST, Huang et
   * al. 2022), or the decoupled one (DKD, Zhao et al. 2022).
   */
  readonly divergence: typeof DIVERGENCES[number];
  /** The weights of the two parts of DIST (beta and gamma) and of DKD (alpha and beta). */
  readonly parts?: readonly number[];
  /** What logits are divided by before the softmax of the divergence. */
  readonly temperature: number;
  /** The weight of a small network's cross entropy with the labels. */
  readonly smallCrossEntropy: number;
}

/** The loss of the paper (arXiv 2006.05624). */
export const PAPER_LOSS: PairLoss = { divergence: "kl", temperature: 1, smallCrossEntropy: 0 };

/** The weights of the parts of a divergence as its authors have them, for CIFAR. */
export const DIVERGENCE_PARTS = { dist: [2, 2], dkd: [1, 8] } as const;

/** Whether a loss is that of the paper. */
export function isPapers({ divergence, temperature, smallCrossEntropy }: PairLoss): boolean {
  return divergence === "kl" && temperature === 1 && smallCrossEntropy === 0;
}
