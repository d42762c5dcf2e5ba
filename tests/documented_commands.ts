// Reads the commands of documents as the shell, the tasks and the command line would.
import { existsSync } from "node:fs";
import { readArguments } from "../cli/arguments.ts";
import { type Command, COMMAND_NAMES } from "../cli/flags/commands.ts";
import { compareRequest, searchRequest, trainRequest } from "../cli/options.ts";
import { read, root } from "./documents.ts";
import { taskOf } from "./tasks.ts";

/** What documents say beside tasks and commands, word by word. */
const OTHER_COMMANDS: readonly RegExp[] = [
  /^sh setup\.sh$/,
  /^deno test$/,
  /^deno bundle --platform browser mod\.ts -o adjoin\.js$/,
  /^python3 -m http\.server --directory \S+$/,
  /^deno jupyter --install$/,
  /^deno (?:check|cache) --frozen=false\b/,
];

/** A script of the repository, in shell or Python. */
const SCRIPT = /^(?:sh|python3) (\S+\.(?:sh|py))( |$)/;

/** What all commands together are asked. */
const ABOUT: readonly string[] = ["--help", "--version"];

/** A program of the repository, run with permissions. */
const PROGRAM = /^deno run (?:--(?:allow|lock)\S+ )*(\w\S*\.ts)( |$)/;

/** Words of a line of shell; blanks within quotes part none. */
export function wordsOf(line: string): string[] {
  return [...line.matchAll(/(?:[^\s"']|"[^"]*"|'[^']*')+/g)].map(([word]) =>
    word.replace(/"([^"]*)"|'([^']*)'/g, "$1$2")
  );
}

/** A command of the command line, and what it is given. */
export interface Parsed {
  readonly command: Command;
  readonly args: readonly string[];
}

/** The command that words are, as after `adjoin`. Raises a `RangeError` where there is none. */
function parsed(words: readonly string[]): Parsed {
  const command = COMMAND_NAMES.find((name) =>
    name.split(" ").every((word, i) => word === words[i])
  );
  if (!command) throw new RangeError(`${words[0]} is no command`);
  return { command, args: words.slice(command.split(" ").length) };
}

/** Reads a command as the command line would, and refuses what it would. */
function demandAccepted({ command, args }: Parsed): void {
  // A folder that is named alone has folders of classes.
  const alone = args.includes("--data-dir") && !args.includes("--dataset");
  const known: Record<string, string> = alone ? { dataset: "folder" } : {};
  if (args.includes("--help")) readArguments(command, args);
  else if (command === "train") trainRequest(readArguments(command, args, known));
  else if (command === "search") searchRequest(readArguments(command, args, known));
  else if (command === "compare") compareRequest(readArguments(command, args, known));
  else readArguments(command, args);
}

/**
 * The commands of the command line that a line of shell runs. Raises a `RangeError` for a task that
 * there is not, what takes no arguments, and what is not known.
 */
export function commandsOf(line: string): Parsed[] {
  return line.split(" && ").flatMap((part) => {
    if (OTHER_COMMANDS.some((other) => other.test(part))) return [];
    const [, program] = PROGRAM.exec(part) ?? SCRIPT.exec(part) ?? [];
    if (program !== undefined && existsSync(new URL(program, root))) return [];
    const words = wordsOf(part).filter((word) => !/^[A-Z_]+=/.test(word));
    if (words[0] === "adjoin" && words.length > 1) return [parsed(words.slice(1))];
    const [deno, run, name, ...typed] = words;
    if (deno !== "deno" || run !== "task") throw new RangeError(`${part} is not known here`);
    const task = taskOf([name, ...typed]);
    const [, after] = /\bdeno run .*cli\/main\.ts ?(.*)$/.exec(task.line) ?? [];
    const files = task.args.every((path) =>
      path.startsWith("tests/") && existsSync(new URL(path, root))
    );
    if (after === undefined) {
      const [, program] = /\bdeno run .*?(\S+\.ts)$/.exec(task.line) ?? [];
      if (task.args.length === 0 || (name === "test" && files)) return [];
      if (program !== undefined && takes(program, task.args)) return [];
      throw new RangeError(`${name} takes no arguments`);
    }
    const all = [...after.split(" ").filter((word) => word), ...task.args];
    return all.every((word) => ABOUT.includes(word)) ? [] : [parsed(all)];
  });
}

/** Whether a program reads all flags among arguments: it has their names. */
function takes(program: string, args: readonly string[]): boolean {
  const flags = args.filter((arg) => arg.startsWith("--"));
  const source = read(program);
  return flags.length > 0 && flags.every((flag) => source.includes(`"${flag.slice(2)}"`));
}

/** What is wrong with a line of shell, or nothing. */
export function wrongWith(line: string): string | undefined {
  try {
    commandsOf(line).forEach(demandAccepted);
  } catch (error) {
    return `${line}: ${error instanceof Error ? error.message : error}`;
  }
}
