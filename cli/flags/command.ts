import type { Section } from "../../train/options/option.ts";

/** A command line with what it does, for the help: what is typed after `adjoin`. */
export type Example = readonly [line: string, does: string];

/** A command as data: its line of the help, what it takes, and command lines to begin with. */
export interface CommandDescription {
  /** What it does, in half a sentence. */
  readonly help: string;
  /**
   * What it takes besides flags: in brackets where it may be left out, with dots where there may be
   * more of it.
   */
  readonly positionals: readonly string[];
  /** Two to five command lines; tests/help_examples_test.ts runs each. */
  readonly examples: readonly Example[];
  /** Options that it has alone; those that it shares with others are in tables of their own. */
  readonly sections: readonly Section[];
}
