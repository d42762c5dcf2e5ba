// report.json: what the report of a run shows, and no other of its files has.
import { DataError } from "../../data/error.ts";
import { isRecord, parseJson, wrongKey } from "../../data/json.ts";
import { printable, printableJson } from "../../data/printable.ts";

/** How a network tells classes apart. */
export interface KeptClasses {
  /** Of each class: validation images, those of them that are told rightly, images given it. */
  readonly images: readonly number[];
  readonly right: readonly number[];
  readonly predicted: readonly number[];
  /** Which classes are taken for which: `[label, predicted, images]`, the most frequent first. */
  readonly confused: readonly (readonly number[])[];
}

/** What a network says of an image. */
export interface Said {
  /** The class, by its number. */
  readonly predicted: number;
  /** How probable that is, from 0 to 1. */
  readonly probability: number;
}

/** A validation image, and what networks say of it. */
export interface Example {
  /** Its file; its place in the set where that is in memory. */
  readonly image: string | number;
  /** Its class, by its number. */
  readonly label: number;
  readonly said: Readonly<Record<string, Said>>;
  /** A `data:` URI of a thumbnail. */
  readonly picture?: string;
}

/** The contents of report.json. */
export interface KeptReport {
  /** The release that did the run, that of Deno, and the system. */
  readonly versions: Readonly<Record<string, string>>;
  /** The command line as it was typed, without the name of the program. */
  readonly command: readonly string[];
  /** Whether validation images are the test images of their set. */
  readonly test: boolean;
  /** The number of validation images. */
  readonly images: number;
  readonly classes: readonly string[];
  /** By network. */
  readonly networks: Readonly<Record<string, KeptClasses>>;
  /** Images on which the networks of `between` differ. */
  readonly disagreements: readonly Example[];
  /** How many there are of those. */
  readonly disagreeing: number;
  /** The most confident mistakes of the last of `between`, besides those on which it differs. */
  readonly mistakes: readonly Example[];
  /** The base network and a small one; one where there is no other. */
  readonly between: readonly string[];
}

type Check<T> = (value: unknown) => value is T;

const isText: Check<string> = (value) => typeof value === "string";
const isCount: Check<number> = (value): value is number =>
  Number.isSafeInteger(value) && Number(value) >= 0;

function isList<T>(fits: Check<T>): Check<readonly T[]> {
  return (value): value is readonly T[] => Array.isArray(value) && value.every(fits);
}

function isMap<T>(fits: Check<T>): Check<Readonly<Record<string, T>>> {
  return (value): value is Readonly<Record<string, T>> =>
    isRecord(value) && Object.values(value).every(fits);
}

/** Whether something is how a network tells so many classes apart. */
function isClasses(classes: number): Check<KeptClasses> {
  const counts = (value: unknown): boolean => isList(isCount)(value) && value.length === classes;
  return (value): value is KeptClasses =>
    isRecord(value) && [value.images, value.right, value.predicted].every(counts) &&
    isList(isList(isCount))(value.confused) &&
    value.confused.every((row) => row.length === 3 && row[0] < classes && row[1] < classes);
}

function isExample(classes: number): Check<Example> {
  const isSaid: Check<Said> = (value): value is Said =>
    isRecord(value) && isCount(value.predicted) && value.predicted < classes &&
    typeof value.probability === "number";
  return (value): value is Example =>
    isRecord(value) && (isText(value.image) || isCount(value.image)) && isCount(value.label) &&
    value.label < classes && isMap(isSaid)(value.said) &&
    (value.picture === undefined ||
      (isText(value.picture) && /^data:image\/(png|jpeg);base64,[\w+/=]*$/.test(value.picture)));
}

/** Why an object is none of this file: the first field that does not fit. */
function wrongField(value: Readonly<Record<string, unknown>>): string | undefined {
  const { classes } = value;
  if (!isList(isText)(classes)) return "classes";
  const checks: Readonly<Record<Exclude<keyof KeptReport, "classes">, Check<unknown>>> = {
    versions: isMap(isText),
    command: isList(isText),
    test: (test): test is boolean => typeof test === "boolean",
    images: isCount,
    networks: isMap(isClasses(classes.length)),
    disagreements: isList(isExample(classes.length)),
    disagreeing: isCount,
    mistakes: isList(isExample(classes.length)),
    between: isList(isText),
  };
  return Object.entries(checks).find(([name, fits]) => !fits(value[name]))?.[0];
}

function isKept(value: Readonly<Record<string, unknown>>): value is
  & Readonly<Record<string, unknown>>
  & KeptReport {
  return wrongField(value) === undefined;
}

/** Reads a report.json. Raises a {@link DataError} for anything else. */
export function parseKept(text: string, fileName: string): KeptReport {
  const file = printable(fileName, 300);
  const refused = (found: string): DataError =>
    new DataError(
      `Cannot read ${file}: wanted what a run keeps for its report, found ${found}; remove it`,
    );
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (error) {
    throw refused(wrongKey(error) ?? "a text that is not JSON");
  }
  if (!isRecord(value)) throw refused(printableJson(value));
  if (isKept(value)) return value;
  const field = wrongField(value) ?? "";
  throw refused(`${printableJson(value[field])} as ${field}`);
}
