import type { CommandDescription } from "./command.ts";

/** `parity`. */
export const PARITY = {
  help: "compare ops and training with reference numbers",
  positionals: ["DIR"],
  examples: [
    ["parity tests/reference", "everything that was written with PyTorch"],
    ["parity tests/reference/linear.safetensors", "one file"],
  ],
  sections: [],
} as const satisfies CommandDescription;
