import { IMPORTANCES } from "../../nn/compress/importance.ts";
import { METHOD_NAMES } from "../compare/methods.ts";
import type { Section } from "./option.ts";

/** The search of widths, and what compares it with other methods. */
export const SEARCH = [
  {
    title: "budgets",
    commands: ["search"],
    options: [
      {
        name: "budgetMacs",
        kind: "numbers",
        alone: true,
        above: 0,
        max: 1,
        count: [1, 8],
        order: "different",
        help:
          "multiply-accumulates of the small network over those of the base; 0.5,0.25 makes two " +
          "small networks, small-0.5 and small-0.25",
      },
      {
        name: "budgetParams",
        kind: "numbers",
        alone: true,
        above: 0,
        max: 1,
        count: [1, 8],
        order: "different",
        help: "parameters of the small network over those of the base, instead",
      },
      {
        name: "budgetLatency",
        kind: "numbers",
        alone: true,
        above: 0,
        max: 1,
        count: [1, 8],
        order: "different",
        help: "time of the small network for one image in onnxruntime-web over that of the base, " +
          "instead",
      },
    ],
  },
  {
    title: "budget",
    commands: ["compare"],
    options: [
      {
        name: "budgetMacs",
        kind: "number",
        above: 0,
        max: 1,
        help: "multiply-accumulates of the small network over those of the base",
      },
      {
        name: "budgetParams",
        kind: "number",
        above: 0,
        max: 1,
        help: "parameters of the small network over those of the base, instead",
      },
    ],
  },
  {
    title: "search",
    commands: ["search", "compare"],
    options: [
      {
        name: "divisors",
        kind: "numbers",
        min: 1,
        count: [2, 8],
        order: "different",
        default: [1, 2, 4, 8],
        help: "what filters may be divided by: 2 to 8 different numbers from 1 on",
      },
      {
        name: "searchEpochs",
        kind: "integer",
        min: 2,
        default: 4,
        help: "epochs of the search, before the --epochs of the training",
      },
      {
        name: "searchLr",
        kind: "number",
        above: 0,
        default: 0.05,
        help: "learning rate of the logits of the widths",
      },
      {
        name: "temperature",
        kind: "number",
        min: 1e-3,
        max: 1e6,
        default: 5,
        help: "that of the choice between widths at the start of the search",
      },
      {
        name: "endTemperature",
        kind: "number",
        min: 1e-3,
        max: 1e6,
        default: 0.5,
        help: "that at its end, at most --temperature",
      },
    ],
  },
  {
    title: "after the search",
    commands: ["search"],
    options: [
      {
        name: "fromScratch",
        kind: "boolean",
        beside: ["widthsOnly"],
        help: "train the widths found from fresh weights, not from the searched ones",
      },
      {
        name: "widthsOnly",
        kind: "boolean",
        help: "write widths.json and stop",
      },
    ],
  },
  {
    title: "comparison",
    commands: ["compare"],
    options: [
      {
        name: "methods",
        course: false,
        kind: "choices",
        choices: METHOD_NAMES,
        otherwise: "all",
        help: "what is compared; a comparison that goes on takes them up besides its own",
      },
      {
        name: "pruneBy",
        kind: "choice",
        choices: IMPORTANCES,
        default: "l2",
        help: "which filters the pruned network keeps",
      },
      {
        name: "seeds",
        kind: "integer",
        min: 1,
        default: 3,
        help: "runs of each method, with --seed and the seeds after it",
      },
    ],
  },
] as const satisfies readonly Section[];
