import { BROKEN_PART, tooManyBroken } from "../data/broken_limit.ts";
import { curable, cure } from "../data/cure.ts";
import { DataError } from "../data/error.ts";
import { printable } from "../data/printable.ts";
import { percent } from "../data/words.ts";

/** Broken pictures that are named; of all others only the number is told. */
const NAMED = 10;

/** How broken pictures are told. */
export interface LeftOutOptions {
  /** The folder below which files are named. */
  readonly dataDir: string;
  /** Whether none may be broken. */
  readonly strict: boolean;
  /** Is told of each broken picture. */
  readonly note: (text: string) => void;
}

/** The broken pictures of a program, each file once. */
export class LeftOut {
  readonly #options: LeftOutOptions;
  /** Why each is left out, by file. */
  readonly #reasons = new Map<string, string>();

  constructor(options: LeftOutOptions) {
    this.#options = options;
  }

  /** A file as messages have it: below the data folder. */
  nameOf(path: string): string {
    const { dataDir } = this.#options;
    const root = dataDir.endsWith("/") ? dataDir : `${dataDir}/`;
    return printable(path.startsWith(root) ? path.slice(root.length) : path, 200);
  }

  /** Notes that a picture is broken. */
  add(path: string, reason: string): void {
    if (this.#reasons.has(path)) return;
    this.#reasons.set(path, reason);
    const { strict, note } = this.#options;
    // What is raised says the same.
    if (strict) return;
    if (this.#reasons.size <= NAMED) note(`left out ${this.nameOf(path)}: ${reason}`);
    else if (this.#reasons.size === NAMED + 1) note("left out more pictures, which are counted");
  }

  /** Tells how many there are, where not all have been named. */
  finish(): void {
    const { size } = this.#reasons;
    if (size > NAMED && !this.#options.strict) {
      this.#options.note(`left out ${size} broken pictures in all`);
    }
  }

  /**
   * The reason to end a run with, where more of the files of a set are broken than may be: more than
   * 1 % and more than one, or any in strict runs.
   *
   * @param broken The broken ones among them.
   * @param count How many files the set has.
   */
  tooMany(broken: readonly string[], count: number): DataError | undefined {
    const { dataDir, strict } = this.#options;
    const tooMany = strict ? broken.length > 0 : tooManyBroken(broken.length, count);
    if (!tooMany) return undefined;
    const folder = printable(dataDir, 300);
    const [first] = broken.toSorted();
    const name = this.nameOf(first);
    const reason = this.#reasons.get(first) ?? "broken";
    if (strict) {
      const option = { option: "strict" };
      const problem = `Cannot use the pictures in ${folder}: wanted none that is broken, found ` +
        `${name}: ${reason}`;
      return curable(DataError, problem, cure`remove it`, cure`leave out ${option}`);
    }
    return new DataError(
      `Cannot use the pictures in ${folder}: wanted at most ${
        percent(BROKEN_PART)
      } broken, found ` +
        `${broken.length} of ${count} so far, one of them ${name}: ${reason}; remove or replace ` +
        `the broken ones, which deno task data names`,
    );
  }
}
