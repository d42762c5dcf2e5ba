import type { CommandDescription } from "./command.ts";

/** `parity`. */
export const PARITY = {
  help: "compare ops and training with reference numbers",
  positionals: ["DIR"],
  examples: [
    [
      "parity tests/reference/linear.safetensors",
      "a linear layer and its gradients with PyTorch's",
    ],
    ["parity tests/reference/layer_norm.safetensors", "a layer norm and its gradients"],
  ],
  sections: [
    {
      title: "output",
      commands: ["parity"],
      options: [
        {
          name: "quiet",
          kind: "boolean",
          help: "print only what does not hold",
        },
      ],
    },
  ],
} as const satisfies CommandDescription;
