import config from "../deno.json" with { type: "json" };
import { printable } from "../data/printable.ts";
import { suggestion } from "../data/suggestion.ts";
import { runCommand } from "./actions.ts";
import { goWhereTyped, quietDrivers } from "./environment.ts";
import { EXIT } from "./exit.ts";
import { fail } from "./failure.ts";
import { sayFetches } from "./fetch_line.ts";
import { COMMAND_NAMES, isCommand, isGroup } from "./flags/commands.ts";
import { commandHelp, generalHelp, groupHelp } from "./help.ts";
import { unusable } from "./option_value.ts";
import { print, printError } from "./print.ts";

/** Takes `bench conv` for one name; `bench --peers` is `bench peers`. */
function joinNames([name, ...args]: readonly string[]): readonly string[] {
  if (name === "help") return [name, args.join(" ")];
  if (name !== "bench") return [name, ...args];
  if (args.includes("--peers")) return ["bench peers", ...args.filter((arg) => arg !== "--peers")];
  const [what, ...flags] = args;
  return what === undefined || what.startsWith("-")
    ? [name, ...args]
    : [`${name} ${what}`, ...flags];
}

/** The help of a command, of the commands that begin with a word, or of all. */
function helpText(name?: string): string {
  if (name === undefined) return generalHelp();
  if (isCommand(name)) return commandHelp(name);
  if (isGroup(name)) return groupHelp(name);
  throw unknownCommand(name);
}

function help(name?: string): number {
  print(helpText(name));
  return EXIT.ok;
}

function unknownCommand(name: string): Error {
  return unusable(
    `${printable(name)} is no command; the commands are ${COMMAND_NAMES.join(", ")} and help${
      suggestion(name, COMMAND_NAMES)
    }`,
  );
}

async function main([name, ...args]: readonly string[]): Promise<number> {
  if (name === undefined) {
    printError(generalHelp());
    return EXIT.usage;
  }
  if (["help", "--help", "-h"].includes(name)) return help(args[0] || undefined);
  const asks = (...flags: string[]): boolean => [name, ...args].some((arg) => flags.includes(arg));
  if (asks("--version", "-V")) {
    print(`adjoin ${config.version}\n`);
    return EXIT.ok;
  }
  if (asks("--help", "-h")) return help(name);
  if (isGroup(name)) {
    printError(groupHelp(name));
    return EXIT.usage;
  }
  if (!isCommand(name)) throw unknownCommand(name);
  return await runCommand(name, args);
}

/** Does what the process's arguments say, and sets its exit code. */
export async function commandLine(): Promise<void> {
  const words = joinNames(Deno.args);
  try {
    goWhereTyped();
    quietDrivers();
    sayFetches(printError);
    Deno.exitCode = await main(words);
  } catch (error) {
    fail(error, words);
  }
}

if (import.meta.main) await commandLine();
