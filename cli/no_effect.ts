import { type Choices, DECIDING, type Option, type Value } from "../train/options/option.ts";
import type { Command } from "./flags/commands.ts";
import { flagOf, optionsOf } from "./flags/table.ts";
import { unusable } from "./option_value.ts";
import { either } from "./text.ts";

/** Values of the deciding options that a command has. */
type Found = Readonly<Record<string, Value | undefined>>;

/** Choices as they are typed for a command; nothing where it has no such choice. */
export function choiceFlags(command: Command, choices: Choices): string | undefined {
  const words: string[] = [];
  for (const option of optionsOf(command)) {
    const choice = Object.entries(choices).find(([name]) => name === option.name)?.[1];
    if (choice === undefined) continue;
    if (option.kind !== "choice" || !option.choices.includes(choice)) return;
    words.push(`${flagOf(option.name)} ${choice}`);
  }
  return words.length ? words.join(" ") : undefined;
}

function checkOnly({ name, only = {} }: Option, found: Found): void {
  for (const key of DECIDING) {
    const wanted = only[key];
    const chosen = found[key];
    if (!wanted || chosen === undefined || wanted.includes(String(chosen))) continue;
    throw unusable(`${flagOf(name)} goes with ${flagOf(key)} ${either(wanted)}, found ${chosen}`);
  }
}

/** Whether all of some choices were made that a command has; not where it has none of them. */
function chosen(choices: Choices, found: Found): boolean {
  const known = Object.entries(choices).filter(([name]) => found[name] !== undefined);
  return known.length > 0 && known.every(([name, choice]) => found[name] === choice);
}

function checkNeeds({ name, needs }: Option, found: Found): void {
  if (needs === undefined || needs.some((other) => found[other])) return;
  const there = found[needs[0]];
  const words = there === undefined || there === false ? "none" : String(there);
  throw unusable(
    `${flagOf(name)} has an effect with ${either(needs.map(flagOf))} alone, found ${words}`,
  );
}

/** Raises a {@link UsageError} for options that were given and would have no effect. */
export function refuseNoEffect(
  command: Command,
  given: ReadonlySet<string>,
  found: Found,
): void {
  for (const option of optionsOf(command)) {
    if (!given.has(option.name)) continue;
    checkOnly(option, found);
    checkNeeds(option, found);
    const idle = option.idle?.find((choices) => chosen(choices, found));
    const beside = option.beside?.find((name) => given.has(name));
    const other = idle ? choiceFlags(command, idle) : beside && flagOf(beside);
    if (!other) continue;
    throw unusable(
      `${flagOf(option.name)} has no effect beside ${other}; leave one of them out`,
    );
  }
}
