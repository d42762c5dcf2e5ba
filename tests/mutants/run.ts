import type { Mutant, Noticing } from "./mutant.ts";

/** How a mutant fared. */
export type Fate = "noticed" | "survived" | "not applied" | "test fails without it" | "no test";

/** How often a text occurs in another. */
export function occurrences(text: string, part: string): number {
  return text.split(part).length - 1;
}

/** What is not copied: history, results, and what is made anew. */
const LEFT_OUT = new Set([".git", ".gpu", ".docs", "runs", "coverage", "node_modules"]);

/** Copies a checkout, so that the faults are not put into the one that is worked on. */
export async function copyCheckout(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory, isFile } of Deno.readDir(from)) {
    if (LEFT_OUT.has(name)) continue;
    if (isDirectory) await copyCheckout(`${from}/${name}`, `${to}/${name}`);
    else if (isFile) await Deno.copyFile(`${from}/${name}`, `${to}/${name}`);
  }
}

/** What the tests of a name came to: passed, failed, or that there are none. */
type Outcome = "passed" | "failed" | "none";

/** Runs the tests in a checkout whose names contain a text. Raises an `Error` for what is no result. */
async function outcome(checkout: string, { file, name }: Noticing): Promise<Outcome> {
  const { stdout, stderr } = await new Deno.Command("deno", {
    args: [
      ...["test", "-P=test", "--lock=packages.lock", "--preload=tests/preload.ts", "--no-check"],
      ...[`--filter=${name}`, file],
    ],
    cwd: checkout,
    env: { XDG_RUNTIME_DIR: "/tmp", NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const [text, errors] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  const found = text.match(/^(?:ok|FAILED) \| (\d+) passed.*? \| (\d+) failed/m);
  // A file that cannot be loaded notices nothing.
  if (!found || text.includes("(uncaught error)")) {
    throw new Error(`Cannot run the tests of ${file}: ${(text + errors).trim().slice(-2000)}`);
  }
  if (Number(found[2]) > 0) return "failed";
  return Number(found[1]) > 0 ? "passed" : "none";
}

/** Puts mutants into a checkout, one after the other, and runs the test that has to notice each. */
export class Trial {
  readonly #checkout: string;
  readonly #sound = new Map<string, Promise<Outcome>>();

  constructor(checkout: string) {
    this.#checkout = checkout;
  }

  /** What a test says of the source as it is; once for each test. */
  #without(test: Noticing): Promise<Outcome> {
    const key = `${test.file} ${test.name}`;
    let found = this.#sound.get(key);
    if (!found) this.#sound.set(key, found = outcome(this.#checkout, test));
    return found;
  }

  async run({ file, find, replace, test }: Mutant): Promise<Fate> {
    const before = await this.#without(test);
    if (before !== "passed") return before === "none" ? "no test" : "test fails without it";
    const path = `${this.#checkout}/${file}`;
    const source = await Deno.readTextFile(path);
    if (occurrences(source, find) !== 1) return "not applied";
    await Deno.writeTextFile(path, source.replace(find, () => replace));
    try {
      return await outcome(this.#checkout, test) === "failed" ? "noticed" : "survived";
    } finally {
      await Deno.writeTextFile(path, source);
    }
  }
}
