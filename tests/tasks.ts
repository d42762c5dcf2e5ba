import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../", import.meta.url));

/** The flag with which tasks let programs load packages that are fetched when they are first needed. */
export const LOCK = `--lock=${ROOT}packages.lock`;

/** What is typed after `deno task`, taken apart. */
export interface Task {
  /** The line of shell that it runs. */
  readonly line: string;
  /** What is appended to that. */
  readonly args: readonly string[];
}

/**
 * The task of deno.json that words name; `bench` has tasks of its own, in a file that it names. Raises
 * a `RangeError` where there is none.
 */
export function taskOf([name, ...args]: readonly string[], config = "deno.json"): Task {
  const { tasks } = JSON.parse(Deno.readTextFileSync(`${ROOT}${config}`));
  if (!Object.hasOwn(tasks, name)) throw new RangeError(`${config} has no task ${name}`);
  const line: string = tasks[name].command;
  const [, other] = /^deno task --config (\S+)$/.exec(line) ?? [];
  return other === undefined ? { line, args } : taskOf(args, other);
}

/** The names of all tasks, those of `bench` with it. */
export function taskNames(config = "deno.json", before: readonly string[] = []): string[][] {
  const { tasks } = JSON.parse(Deno.readTextFileSync(`${ROOT}${config}`));
  return Object.entries<{ command: string }>(tasks).flatMap(([name, { command }]) => {
    const [, other] = /^deno task --config (\S+)$/.exec(command) ?? [];
    return other === undefined ? [[...before, name]] : taskNames(other, [...before, name]);
  });
}

/**
 * The permissions that a task grants, as flags of Deno's, with variables of the environment filled in
 * as the shell of tasks does, and paths from the folder of deno.json; none for words that are no task.
 */
export function granted(words: readonly string[]): string[] {
  let line: string;
  try {
    ({ line } = taskOf(words));
  } catch (error) {
    if (error instanceof RangeError) return [];
    throw error;
  }
  const filled = line.replaceAll("$PWD/", "").replace(
    /\$(\w+)/g,
    (_, name) => Deno.env.get(name) ?? "",
  );
  return [...filled.matchAll(/--allow-\w+(?:="[^"]*"|=\S+)?/g)].map(([flag]) =>
    flag.replaceAll('"', "")
  );
}
