import { printable } from "../../data/printable.ts";
import { suggestion } from "../../data/suggestion.ts";
import { readArguments } from "../arguments.ts";
import { bashCompletions } from "../completions/bash.ts";
import { completedCommands, SHELLS } from "../completions/completed.ts";
import { fishCompletions } from "../completions/fish.ts";
import { zshCompletions } from "../completions/zsh.ts";
import { EXIT } from "../exit.ts";
import { unusable } from "../option_value.ts";
import { print } from "../print.ts";
import { either } from "../text.ts";

const COMPLETIONS = { bash: bashCompletions, zsh: zshCompletions, fish: fishCompletions };

/** Prints the completions of a shell. */
export function run(args: readonly string[]): number {
  const { positionals: [found] } = readArguments("completions", args);
  const shell = SHELLS.find((name) => name === found);
  if (shell === undefined) {
    throw unusable(
      `SHELL is ${either(SHELLS)}, found ${printable(found)}${suggestion(found, SHELLS)}`,
    );
  }
  print(COMPLETIONS[shell](completedCommands()));
  return EXIT.ok;
}
