/** The subcommands, with what they take besides flags. */
export const COMMANDS = {
  train: { help: "train a network and its compressed twin together", positionals: [] },
  search: { help: "learn the width of each layer within a budget, then train", positionals: [] },
  compare: { help: "compare methods of compression at one budget", positionals: [] },
  export: { help: "write a trained network as ONNX or for PyTorch", positionals: ["RUN"] },
  eval: { help: "measure a saved network on validation images", positionals: ["FILE"] },
  summary: { help: "print layers, parameters and multiply-accumulates", positionals: [] },
  parity: { help: "compare ops and training with reference numbers", positionals: ["DIR"] },
  "bench conv": { help: "time a convolution and its gradients", positionals: [] },
  "bench step": { help: "time training steps", positionals: [] },
  "bench peers": { help: "time other libraries on the same work", positionals: [] },
} as const satisfies Record<string, { help: string; positionals: readonly string[] }>;

/** The name of a subcommand. */
export type Command = keyof typeof COMMANDS;

/** Flags that decide whether others have a meaning. */
export const DECIDING = ["mode", "which", "dataset", "opt", "sched"] as const;

/** One of {@link DECIDING}. */
export type Deciding = typeof DECIDING[number];

/** What decides whether a flag has a meaning. */
export type Condition = Partial<Record<Deciding, readonly string[]>>;

/** A flag as data: parsing, checks and help follow from it. */
export type Flag =
  & {
    readonly name: string;
    /** One letter. */
    readonly short?: string;
    /** A name that other subcommands have for it. */
    readonly also?: string;
    readonly help: string;
    /** The default in words, where it depends on other flags. */
    readonly defaults?: string;
    /** Where it has a meaning; elsewhere it is refused. */
    readonly only?: Condition;
    /** Choices of other flags beside which it has none, and is refused. */
    readonly idle?: readonly Partial<Record<Deciding, string>>[];
  }
  & (
    | { readonly kind: "boolean" }
    | { readonly kind: "string"; readonly value: string; readonly default?: string }
    | { readonly kind: "choice"; readonly choices: readonly string[]; readonly default?: string }
    | {
      readonly kind: "number" | "integer";
      readonly min?: number;
      readonly max?: number;
      /** Bounds that are themselves out of range. */
      readonly above?: number;
      readonly below?: number;
      readonly default?: number;
    }
  );

/** Flags of the same subcommands, under one heading of the help. */
export interface Section {
  readonly title: string;
  readonly commands: readonly Command[];
  readonly flags: readonly Flag[];
}
