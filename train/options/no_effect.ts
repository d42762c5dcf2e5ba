import { listed } from "../../data/words.ts";
import { type Choices, DECIDING, type Option, type Value } from "./option.ts";

/** Values of the deciding options that there are. */
export type Found = Readonly<Record<string, Value | undefined>>;

/** What options are called where they are given. */
type NameOf = (name: string) => string;

/** Choices in words, as they are given; nothing where one of them is none of the options'. */
export function choicesInWords(
  options: readonly Option[],
  choices: Choices,
  nameOf: NameOf,
): string | undefined {
  const words: string[] = [];
  for (const option of options) {
    const choice = Object.entries(choices).find(([name]) => name === option.name)?.[1];
    if (choice === undefined) continue;
    if (option.kind !== "choice" || !option.choices.includes(choice)) return;
    words.push(`${nameOf(option.name)} ${choice}`);
  }
  return words.length ? words.join(" ") : undefined;
}

function otherChoice(
  { name, only = {} }: Option,
  found: Found,
  nameOf: NameOf,
): string | undefined {
  for (const key of DECIDING) {
    const wanted = only[key];
    const chosen = found[key];
    if (!wanted || chosen === undefined || wanted.includes(String(chosen))) continue;
    return `${nameOf(name)} goes with ${nameOf(key)} ${listed(wanted, "or")}, found ${chosen}`;
  }
}

/** Whether all of some choices were made that there are; not where there are none of them. */
function chosen(choices: Choices, found: Found): boolean {
  const known = Object.entries(choices).filter(([name]) => found[name] !== undefined);
  return known.length > 0 && known.every(([name, choice]) => found[name] === choice);
}

function missing({ name, needs }: Option, found: Found, nameOf: NameOf): string | undefined {
  if (needs === undefined || needs.some((other) => found[other])) return;
  const there = found[needs[0]];
  const words = there === undefined || there === false ? "none" : String(there);
  const wanted = listed(needs.map(nameOf), "or");
  return `${nameOf(name)} has an effect with ${wanted} alone, found ${words}`;
}

/** Why the first option that was given and would have no effect has none; nothing where all have. */
export function noEffect(
  options: readonly Option[],
  { given, found, nameOf = (name) => name }: {
    readonly given: ReadonlySet<string>;
    readonly found: Found;
    /** Default: their own names. */
    readonly nameOf?: NameOf;
  },
): string | undefined {
  for (const option of options) {
    if (!given.has(option.name)) continue;
    const why = otherChoice(option, found, nameOf) ?? missing(option, found, nameOf);
    if (why) return why;
    const idle = option.idle?.find((choices) => chosen(choices, found));
    const beside = option.beside?.find((name) => given.has(name));
    const other = idle ? choicesInWords(options, idle, nameOf) : beside && nameOf(beside);
    if (other) return `${nameOf(option.name)} has no effect beside ${other}; leave one of them out`;
  }
}
