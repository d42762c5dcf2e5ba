import type { Section } from "./flag.ts";

/** Flags of the search of widths, and of what compares it with other methods. */
export const SEARCH_SECTIONS = [
  {
    title: "search",
    commands: ["search", "compare"],
    flags: [
      {
        name: "budget-macs",
        kind: "number",
        above: 0,
        max: 1,
        help: "multiply-accumulates of the small network over those of the base",
      },
      {
        name: "budget-params",
        kind: "number",
        above: 0,
        max: 1,
        help: "parameters of the small network over those of the base, instead",
      },
      {
        name: "divisors",
        kind: "string",
        value: "LIST",
        default: "1,2,4,8",
        help: "what filters may be divided by: 2 to 8 numbers from 1 on",
      },
      {
        name: "search-epochs",
        kind: "integer",
        min: 2,
        default: 4,
        help: "epochs of the search, before the --epochs of the training",
      },
      {
        name: "search-lr",
        kind: "number",
        above: 0,
        // The GPU has no larger numbers.
        max: 3.4e38,
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
        name: "end-temperature",
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
    flags: [
      {
        name: "from-scratch",
        kind: "boolean",
        help: "train the widths found from fresh weights, not from the searched ones",
      },
      {
        name: "widths-only",
        kind: "boolean",
        help: "write widths.json and stop",
      },
    ],
  },
  {
    title: "comparison",
    commands: ["compare"],
    flags: [
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
