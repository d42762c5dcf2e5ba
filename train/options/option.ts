import type { DatasetName, Recipe } from "../../data/recipes.ts";

/** Options whose choice decides whether others have a meaning, or what their default is. */
export const DECIDING = [
  "recipe",
  "mode",
  "which",
  "dataset",
  "augment",
  "opt",
  "sched",
  "klLoss",
  "model",
  "variant",
  "format",
] as const;

/** One of {@link DECIDING}. */
export type Deciding = typeof DECIDING[number];

/** Choices of some of the deciding options. */
export type Choices = Partial<Record<Deciding, string>>;

/**
 * A default: a value, one for each choice of a deciding option, or the value of another option.
 * `{ opt: { adamw: 1, sgd: 2 } }` is 1 with adamw and 2 with sgd; a choice that is not named has
 * none. Of several deciding options the first of {@link DECIDING} counts whose choice has one, then
 * `else`. `{ as: "epochs" }` is what `epochs` is.
 */
export type Default<Value> =
  | Value
  | { readonly as: string }
  | (
    & { readonly [Key in Deciding]?: { readonly [choice: string]: Default<Value> } }
    & { readonly else?: Value }
  );

/** Numbers that an option may have; those that are left out are no bounds. */
export interface Bounds {
  readonly min?: number;
  readonly max?: number;
  /** Bounds that are themselves out of range. */
  readonly above?: number;
  readonly below?: number;
}

/**
 * An option as data. Its type, flag, checks, default, help, place in config.json and line in the
 * documents follow from it.
 */
export type Option =
  & {
    /** In camelCase, as in config.json; the flag of `batchSize` is `--batch-size`. */
    readonly name: string;
    /** One letter. */
    readonly short?: string;
    /** Other spellings of the flag, without the dashes. */
    readonly also?: readonly string[];
    /** Its purpose, for the help and the documents. */
    readonly help: string;
    /** The value that is taken where there is no default, in words. */
    readonly otherwise?: string;
    /** Choices with which alone it has a meaning; beside others it is refused. */
    readonly only?: { readonly [Key in Deciding]?: readonly string[] };
    /** Choices with which it has none, and is refused. */
    readonly idle?: readonly Choices[];
    /** Options beside which, where they are given, it has no meaning and is refused. */
    readonly beside?: readonly string[];
    /**
     * Options without one of which it has no meaning and is refused; 0 as a value is as good as none.
     */
    readonly needs?: readonly string[];
    /**
     * `false`: a run that goes on may have another value, as its steps do not depend on it. Whatever
     * changes weights, order, images or epochs is of the course.
     */
    readonly course?: false;
  }
  & (
    | { readonly kind: "boolean" }
    | {
      readonly kind: "string";
      /** The place of its value in the help. */
      readonly value: string;
      /** Texts that it may have, and those in words. */
      readonly form?: { readonly pattern: RegExp; readonly words: string };
      readonly default?: string;
    }
    | {
      readonly kind: "choice";
      readonly choices: readonly string[];
      /** The end of the names of files of which one may be named instead. */
      readonly orFile?: string;
      readonly default?: Default<string>;
    }
    | {
      /** Several of the choices with commas between, in any order. */
      readonly kind: "choices";
      readonly choices: readonly string[];
    }
    | (Bounds & {
      readonly kind: "number" | "integer";
      /** The only values, where they are few. */
      readonly among?: readonly number[];
      readonly default?: Default<number>;
    })
    | (Bounds & {
      /** Numbers with commas between, each within the bounds. */
      readonly kind: "numbers";
      /** The least and the most numbers. */
      readonly count: readonly [number, number];
      /** Numbers that are all different, none less than the one before, or as they come. */
      readonly order: "different" | "ascending" | "any";
      /** Whether a single number stays one, and is no list. */
      readonly alone?: true;
      readonly default?: Default<number | readonly number[]>;
    })
  );

/** Options of the same commands, under one heading of the help. */
export interface Section {
  /** The heading. */
  readonly title: string;
  /** The commands that have them. */
  readonly commands: readonly string[];
  /** The options, in the order of the help. */
  readonly options: readonly Option[];
}

/** The options of those sections that a command has. */
export type OptionOf<S, Command extends string> = S extends
  { readonly commands: readonly (infer C)[]; readonly options: readonly (infer O)[] }
  ? Command extends C ? O : never
  : never;

/** The type of an option's values. */
export type ValueOf<O> = O extends { readonly kind: "boolean" } ? boolean
  : O extends { readonly kind: "number" | "integer" } ? number
  : O extends { readonly kind: "numbers"; readonly alone: true } ? number | readonly number[]
  : O extends { readonly kind: "numbers" } ? readonly number[]
  : O extends { readonly kind: "choices"; readonly choices: readonly (infer Choice)[] }
    ? readonly Choice[]
  : O extends { readonly choices: readonly (infer Choice)[] } ? Choice
  : string;

/** The value of a default. */
export type Plain = string | number | readonly number[];

/** Whether a default is a list of numbers, and not choices. */
export function isList(value: Default<Plain>): value is readonly number[] {
  return Array.isArray(value);
}

/** Deciding options all of whose choices have to be named, so that there is always a default. */
type Total = {
  readonly [Key in "dataset" | "opt" | "augment"]: Readonly<
    Record<
      Key extends "dataset" ? DatasetName
        : Key extends "augment" ? Recipe["augment"]
        : "sgd" | "adamw",
      Plain
    >
  >;
};

type Certain<O> = Extract<
  O,
  | { readonly kind: "boolean" }
  | { readonly default: Plain }
  | { readonly default: Pick<Total, "dataset"> }
  | { readonly default: Pick<Total, "opt"> }
  | { readonly default: Pick<Total, "augment"> }
  | { readonly default: { readonly else: Plain } }
>;

type NameOf<O> = O extends { readonly name: infer N extends string } ? N : never;

/** Values by name; those of options that may have no default may be missing. */
export type Values<O> =
  & { readonly [One in Certain<O> as NameOf<One>]: ValueOf<One> }
  & { readonly [One in Exclude<O, Certain<O>> as NameOf<One>]?: ValueOf<One> };

/** The value of an option of any kind. */
export type Value = string | number | boolean | readonly number[] | readonly string[];

/** A default as a value, given those of other options. */
function defaultOf(
  fallback: Default<Plain> | undefined,
  valueOf: (name: string) => Value | undefined,
): Value | undefined {
  if (typeof fallback !== "object" || isList(fallback)) return fallback;
  if ("as" in fallback) return valueOf(fallback.as);
  for (const name of DECIDING) {
    const found = defaultOf(fallback[name]?.[String(valueOf(name))], valueOf);
    if (found !== undefined) return found;
  }
  return fallback.else;
}

/** The values given, and the defaults of all others; what has no default is left out. */
export function withDefaults(
  options: readonly Option[],
  given: Readonly<Record<string, Value>>,
): Record<string, Value> {
  const valueOf = (name: string): Value | undefined => {
    if (given[name] !== undefined) return given[name];
    const option = options.find((option) => option.name === name);
    if (!option) return;
    if (option.kind === "choices") return;
    return option.kind === "boolean" ? false : defaultOf(option.default, valueOf);
  };
  const found = options.map(({ name }) => [name, valueOf(name)] as const);
  return Object.fromEntries(
    found.flatMap(([name, value]) => value === undefined ? [] : [[name, value]]),
  );
}
