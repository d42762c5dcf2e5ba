import { flagsOf, unusable } from "./arguments.ts";
import { type Command, DECIDING, type Deciding } from "./flags/flag.ts";
import { either } from "./text.ts";

/** Choices of some flags. */
type Choices = Partial<Record<Deciding, string>>;

/** Choices as they are given to a command; nothing where it has no such choice. */
export function choiceFlags(command: Command, choices: Choices): string | undefined {
  const words: string[] = [];
  for (const flag of flagsOf(command)) {
    const choice = DECIDING.some((name) => name === flag.name) && choices[flag.name as Deciding];
    if (!choice) continue;
    if (flag.kind !== "choice" || !flag.choices.includes(choice)) return;
    words.push(`--${flag.name} ${choice}`);
  }
  return words.length ? words.join(" ") : undefined;
}

/** Raises a {@link UsageError} for flags that would have no effect beside the choices found. */
export function refuseIdle(command: Command, given: ReadonlySet<string>, found: Choices): void {
  for (const { name, only = {}, idle = [] } of flagsOf(command)) {
    if (!given.has(name)) continue;
    for (const key of DECIDING) {
      const wanted = only[key];
      const chosen = found[key];
      if (!wanted || chosen === undefined || wanted.includes(chosen)) continue;
      throw unusable(`--${name} goes with --${key} ${either(wanted)}, found ${chosen}`);
    }
    const beside = idle.find((choices) =>
      DECIDING.every((key) => choices[key] === undefined || choices[key] === found[key])
    );
    if (beside) {
      const flags = choiceFlags(command, beside);
      throw unusable(`--${name} has no effect beside ${flags}; leave one of them out`);
    }
  }
}
