import type { CommandDescription } from "./command.ts";

/** `compare`. */
export const COMPARE = {
  help: "compare methods of compression at one budget",
  positionals: [],
  examples: [
    [
      "compare --data-dir photos --budget-macs 0.5",
      "all methods at half of the multiply-accumulates",
    ],
    [
      "compare --data-dir photos --budget-params 0.5 --methods alone,adjoined --seeds 3",
      "two methods, three runs of each",
    ],
  ],
  sections: [],
} as const satisfies CommandDescription;
