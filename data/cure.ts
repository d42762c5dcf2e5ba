/** An option that a cure names. */
export interface OptionName {
  /** As in config.json; flags and fields are called by it. */
  readonly option: string;
  /** What it is called where there is no option of this name; the name unless told. */
  readonly words?: string;
}

/** A cure: words, and the options that they name. */
export type Cure = readonly (string | OptionName)[];

/** Says what to change: `` cure`lower ${{ option: "lr" }}` ``. */
export function cure(
  texts: TemplateStringsArray,
  ...values: readonly (string | number | OptionName)[]
): Cure {
  const parts = texts.flatMap((text, i) => {
    const value = values[i];
    return value === undefined ? [text] : [text, typeof value === "object" ? value : `${value}`];
  });
  return parts.filter((part) => part !== "");
}

/** What an error has that says which option is to blame, and what to do about it. */
export interface Curable {
  /** The message without its cure. */
  readonly problem: string;
  /** The option that is to blame before others. */
  readonly option: string;
  /** What to do: one of these. */
  readonly cures: readonly Cure[];
}

/** What options are called, each or not at all. */
export type NameOf = (name: OptionName) => string | undefined;

/** The words of cures, joined by "or"; those of which an option has no name are left out. */
export function curesInWords(
  cures: readonly Cure[],
  nameOf: NameOf = ({ option, words = option }) => words,
): string {
  const named = cures.flatMap((cure) => {
    const words = cure.map((part) => typeof part === "string" ? part : nameOf(part));
    return words.includes(undefined) ? [] : [words.join("")];
  });
  return [named.slice(0, -1).join(", "), ...named.slice(-1)].filter((text) => text).join(" or ");
}

/** An error of a type whose message ends with its cures. */
export function curable<E extends Error>(
  type: new (message: string) => E,
  problem: string,
  ...cures: readonly Cure[]
): E & Curable {
  const names = cures.flat().filter((part) => typeof part !== "string");
  const option = names[0]?.option ?? "";
  const error = new type(`${problem}; ${curesInWords(cures)}`);
  return Object.assign(error, { problem, option, cures });
}

/** Whether an error says which option is to blame. */
export function isCurable(error: unknown): error is Error & Curable {
  return error instanceof Error && "problem" in error && "option" in error && "cures" in error;
}
