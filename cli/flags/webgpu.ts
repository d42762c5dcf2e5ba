import type { Section } from "../../train/options/option.ts";
import { IMPLEMENTATIONS } from "../webgpu/implementation_names.ts";

/** What runs on a GPU is told which implementation of WebGPU to open. */
export const WEBGPU = [
  {
    title: "GPU",
    commands: [
      "train",
      "search",
      "compare",
      "eval",
      "predict",
      "export",
      "parity",
      "bench conv",
      "bench step",
    ],
    options: [
      {
        name: "webgpu",
        course: false,
        kind: "choice",
        choices: IMPLEMENTATIONS,
        otherwise: "ADJOIN_WEBGPU, else deno",
        help: "the implementation of WebGPU: Deno's own, or Chromium's, Dawn, which has matrix " +
          "units and is installed by sh setup.sh --dawn",
      },
    ],
  },
] as const satisfies readonly Section[];
