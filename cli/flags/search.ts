import type { CommandDescription } from "./command.ts";

/** `search`. */
export const SEARCH = {
  help: "learn the width of each layer within a budget, then train",
  positionals: [],
  examples: [
    [
      "search --data-dir photos --budget-macs 0.5",
      "widths for half of the multiply-accumulates, then both networks",
    ],
    [
      "search --data-dir photos --budget-params 0.25 --widths-only",
      "widths for a quarter of the parameters, and no training",
    ],
  ],
  sections: [],
} as const satisfies CommandDescription;
