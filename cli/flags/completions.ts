import type { CommandDescription } from "./command.ts";

/** `completions`. */
export const COMPLETIONS = {
  help: "print what a shell completes command lines with",
  positionals: ["SHELL"],
  examples: [
    ["completions bash", "for bash: source <(adjoin completions bash) in ~/.bashrc"],
    ["completions zsh", "for zsh: into a file _adjoin in a folder of $fpath"],
    ["completions fish", "for fish: into ~/.config/fish/completions/adjoin.fish"],
  ],
  sections: [],
} as const satisfies CommandDescription;
