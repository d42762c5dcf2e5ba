import { choicesInWords, type Found, noEffect } from "../train/options/no_effect.ts";
import type { Choices } from "../train/options/option.ts";
import type { Command } from "./flags/commands.ts";
import { flagOf, optionsOf } from "./flags/table.ts";
import { unusable } from "./option_value.ts";

/** Choices as they are typed for a command; nothing where it has no such choice. */
export function choiceFlags(command: Command, choices: Choices): string | undefined {
  return choicesInWords(optionsOf(command), choices, flagOf);
}

/** Raises a {@link UsageError} for options that were given and would have no effect. */
export function refuseNoEffect(
  command: Command,
  given: ReadonlySet<string>,
  found: Found,
): void {
  const why = noEffect(optionsOf(command), { given, found, nameOf: flagOf });
  if (why) throw unusable(why);
}
