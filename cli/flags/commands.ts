/**
 * The commands, with what they take besides flags: in brackets where it may be left out, with dots
 * where there may be more of it.
 */
export const COMMANDS = {
  train: { help: "train a network and its compressed twin together", positionals: [] },
  search: { help: "learn the width of each layer within a budget, then train", positionals: [] },
  compare: { help: "compare methods of compression at one budget", positionals: [] },
  export: { help: "write a trained network as ONNX or for PyTorch", positionals: ["RUN"] },
  eval: { help: "measure saved networks on validation images", positionals: ["RUN"] },
  data: { help: "check the pictures of a data set without training", positionals: ["DIR"] },
  predict: { help: "say what pictures show", positionals: ["RUN", "PICTURE..."] },
  summary: { help: "print layers, parameters and multiply-accumulates", positionals: [] },
  parity: { help: "compare ops and training with reference numbers", positionals: ["DIR"] },
  wgsl: { help: "print the shaders of an op", positionals: ["OP"] },
  "bench conv": { help: "time a convolution and its gradients", positionals: [] },
  "bench step": { help: "time training steps", positionals: [] },
  "bench data": { help: "time how fast pictures are read and decoded", positionals: ["[DIR]"] },
  "bench peers": { help: "time other libraries on the same work", positionals: [] },
} as const satisfies Record<string, { help: string; positionals: readonly string[] }>;

/** The name of a command. */
export type Command = keyof typeof COMMANDS;

/** The names of all commands. */
export const COMMAND_NAMES = Object.keys(COMMANDS) as readonly Command[];

/** Whether a name is the first word of several commands, as `bench`. */
export function isGroup(name: string): boolean {
  return COMMAND_NAMES.some((command) => command.startsWith(`${name} `));
}
