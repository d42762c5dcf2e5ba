import { DIVERGENCE_PARTS, DIVERGENCES } from "../divergences.ts";
import { KL_SCHEDULES } from "../schedule.ts";
import { RECIPE_SMALL_ENTROPIES, RECIPE_TUNING_EPOCHS } from "./authors.ts";
import type { Section } from "./option.ts";

/** How small networks learn from the base network. */
export const LOSSES = [
  {
    title: "loss of the small network",
    commands: ["train", "search", "compare"],
    options: [
      {
        name: "klSchedule",
        kind: "choice",
        choices: KL_SCHEDULES,
        default: "authors",
        only: { mode: ["adjoined"] },
        help:
          "weight of the divergence over a run: min(4 t^2, 1) for each epoch, 1 throughout, or " +
          "rising over the first quarter",
      },
      {
        name: "klWeight",
        kind: "number",
        min: 0,
        default: 1,
        only: { mode: ["adjoined", "distill"] },
        help: "factor on that weight",
      },
      {
        name: "klTemperature",
        kind: "number",
        min: 1e-2,
        max: 1e4,
        default: 1,
        only: { mode: ["adjoined", "distill"] },
        help: "what logits are divided by before the softmax of the divergence",
      },
      {
        name: "klLoss",
        kind: "choice",
        choices: DIVERGENCES,
        default: "kl",
        only: { mode: ["adjoined", "distill"] },
        help: "the divergence from the base network: Kullback-Leibler's, of relations (dist), or " +
          "decoupled (dkd)",
      },
      {
        name: "klParts",
        kind: "numbers",
        min: 0,
        count: [2, 2],
        order: "any",
        default: { klLoss: DIVERGENCE_PARTS },
        only: { klLoss: ["dist", "dkd"] },
        help:
          "weights of its two parts: between classes and between images (dist), of the target " +
          "and of other classes (dkd)",
      },
      {
        name: "smallCe",
        kind: "number",
        min: 0,
        default: { recipe: RECIPE_SMALL_ENTROPIES, else: 0 },
        only: { mode: ["adjoined"] },
        help: "weight of the small network's cross entropy with the labels",
      },
      {
        name: "finetuneEpochs",
        kind: "integer",
        min: 0,
        default: { recipe: RECIPE_TUNING_EPOCHS, else: 0 },
        only: { mode: ["adjoined"] },
        beside: ["widthsOnly"],
        help:
          "epochs after --epochs in which the small network learns alone from the base network, " +
          "which stays as it is; with --recipe best as many as --epochs",
      },
      {
        name: "finetuneLr",
        kind: "number",
        above: 0,
        otherwise: "--lr",
        only: { mode: ["adjoined"] },
        needs: ["finetuneEpochs"],
        beside: ["widthsOnly"],
        help: "the highest learning rate of these epochs, which have a schedule of their own",
      },
    ],
  },
] as const satisfies readonly Section[];
