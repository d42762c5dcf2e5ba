import type { Command } from "../../cli/flags/commands.ts";
import { effectName, EFFECTS } from "../option_effects.ts";
import { optionTests } from "../option_files.ts";

/** A test: its file, and its name or a part of it. */
export interface Noticing {
  /** Under the root, as in `tests/verify_test.ts`. */
  readonly file: string;
  /** What the names of the tests that have to fail contain, at least one of them. */
  readonly name: string;
}

/** A fault put into the source on purpose, and the test that has to fail for it. */
export interface Mutant {
  /** What is wrong then, in words. */
  readonly name: string;
  /** The file that is edited, under the root. */
  readonly file: string;
  /** What is there exactly once. */
  readonly find: string;
  /** What stands there instead. */
  readonly replace: string;
  readonly test: Noticing;
}

/** The test of an option's effect. Raises a `TypeError` for an effect that there is not. */
export function optionTest(command: Command, option: string, of?: string): Noticing {
  const effect = EFFECTS.find((effect) =>
    effect.commands.includes(command) && effect.option === option && effect.of === of
  );
  if (!effect) throw new TypeError(`Cannot find the effect of ${command} --${option} (${of})`);
  return { file: optionTests(command), name: effectName(effect, command) };
}
