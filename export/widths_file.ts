import { DataError } from "../data/error.ts";
import { otherFormat } from "../data/file_format.ts";
import { isRecord, parseJson, wrongKey } from "../data/json.ts";
import { printable, printableJson } from "../data/printable.ts";
import { suggestion } from "../data/suggestion.ts";
import { listed } from "../data/words.ts";
import { isModelFile } from "./model_file_name.ts";
import { MODEL_NAMES, type Stem, type Variant } from "../nn/families/mod.ts";
import type { Widths } from "../nn/compress/adjoin.ts";
import type { Budgeted } from "../nn/compress/width_cost.ts";

/** What a search may limit: what is counted, the latency in onnxruntime-web, or a cost of one's own. */
export type Limited = Budgeted | "latency" | "cost";

/** Widths, and the network that they are of: the contents of widths.json. */
export interface NetworkWidths {
  /** The base network. */
  readonly model: string;
  /** Its stem, where it was given. */
  readonly stem?: Stem;
  /** Its form. */
  readonly variant?: Variant;
  /** Whether layers before the first masked one run once, or for each network. */
  readonly trunk: "shared" | "separate";
  /** The first stage that is masked. */
  readonly maskFrom: number;
  /** Filters that masked convolutions keep, by name: the first so many, or those of these indices. */
  readonly widths: Widths;
}

/** The contents of widths.json, as a search of widths saves it. */
export interface WidthsFile extends NetworkWidths {
  /** The divisors that the search chose from. */
  readonly divisors: readonly number[];
  /** The cost that was limited. */
  readonly budgeted: Limited;
  /** The limit, over the base network's. */
  readonly budget: number;
  /** The cost of the small network of these widths over the base network's. */
  readonly found: number;
}

/** The result of a search: the file, and the filters that there were. */
export interface WidthsFound {
  readonly file: WidthsFile;
  /** Filters of the same convolutions in the base network. */
  readonly full: Readonly<Record<string, number>>;
}

/** The JSON of a file, a list of numbers a line. */
export function encodeWidths(file: NetworkWidths): string {
  const lists = /\[\n\s*(\d[\d.,\s]*?)\n\s*\]/g;
  return JSON.stringify(file, null, 2)
    .replaceAll(lists, (_, numbers: string) => `[${numbers.replaceAll(/\s+/g, " ")}]`) + "\n";
}

/** The widths of a file, and the network they were found for. */
export type GivenWidths = Pick<NetworkWidths, "widths"> & Partial<NetworkWidths>;

/** The words that a field may have. */
const CHOICES = {
  model: MODEL_NAMES,
  stem: ["authors", "cifar"],
  variant: ["xresnet", "torchvision"],
  trunk: ["shared", "separate"],
} as const;

/** Fields of a file, but for its widths; those after `maskFrom` are not read. */
const FIELDS = [...Object.keys(CHOICES), "maskFrom", "divisors", "budgeted", "budget", "found"];

const EXAMPLE = '{"layer2.0.conv1": 8}';

function refused(name: string, what: string): DataError {
  return new DataError(`Cannot read widths from ${name}: ${what}; search writes such files`);
}

function parseText(text: string, name: string): unknown {
  try {
    // Some editors begin files with a mark of their byte order.
    return parseJson(text.replace(/^\ufeff/, ""));
  } catch (error) {
    const key = wrongKey(error);
    if (key) throw refused(name, `wanted JSON, found ${key}`);
    const other = otherFormat(new TextEncoder().encode(text.slice(0, 4096)));
    const comma = /,\s*[}\]]/.exec(text);
    const line = comma ? text.slice(0, comma.index).split("\n").length : 0;
    const found = comma
      ? `, found a comma before a bracket in line ${line}`
      : other && other.name !== "JSON"
      ? `, found ${other.name}`
      : "";
    throw refused(name, `wanted JSON${found}`);
  }
}

/** Why a name is none of a convolution, as far as names say it. */
function notConvolution(layer: string): string | undefined {
  const norm = /^(.*?)bn(\d+)$/.exec(layer);
  if (norm) return `is a norm, as wide as the convolution before it; name ${norm[1]}conv${norm[2]}`;
  if (layer === "fc") return "is the classifier, as wide as there are classes; leave it out";
  const tensor = /^(.*)\.(weight|bias|running_mean|running_var)$/.exec(layer);
  if (tensor) return `is a tensor; name its layer ${tensor[1]}`;
}

/** Whether something is how many filters are kept, or a list of which. */
export function isWidth(width: unknown): width is number | number[] {
  if (!Array.isArray(width)) return Number.isSafeInteger(width) && Number(width) >= 1;
  const areFilters = width.every((filter) => Number.isSafeInteger(filter) && filter >= 0);
  return width.length > 0 && areFilters && new Set(width).size === width.length;
}

/** Whether widths name filters, and not how many of them. */
export function areLists(widths: Widths = {}): boolean {
  return Object.values(widths).some((width) => typeof width !== "number");
}

function parseWidth(layer: string, width: unknown, name: string): number | number[] {
  const why = notConvolution(layer);
  if (why) throw refused(name, `${printable(layer)} ${printable(why)}`);
  if (isWidth(width)) return width;
  const shown = printable(layer);
  const wanted = Array.isArray(width)
    ? `filters of ${shown} are different whole numbers from 0 on, at least one`
    : `width of ${shown} is a whole number from 1 on, or a list of filters`;
  throw refused(name, `the ${wanted}, found ${printableJson(width)}`);
}

/** The value of a field that is one of some words. */
function parseChoice<T extends string>(
  file: Readonly<Record<string, unknown>>,
  [field, choices]: readonly [string, readonly T[]],
  name: string,
): T | undefined {
  if (!Object.hasOwn(file, field)) return undefined;
  const found = file[field];
  const choice = choices.find((choice) => choice === found);
  if (choice !== undefined) return choice;
  const hint = typeof found === "string" ? suggestion(found, choices) : "";
  throw refused(
    name,
    `${field} is ${listed(choices, "or")}, found ${printableJson(found)}${hint}`,
  );
}

/** Raises an error for a field that a file does not have: it would be dropped in silence. */
function refuseUnknown(file: Readonly<Record<string, unknown>>, name: string): void {
  const known = [...FIELDS, "widths"];
  const unknown = Object.keys(file).find((field) => !known.includes(field));
  if (unknown === undefined) return;
  const hint = suggestion(unknown, known);
  throw refused(
    name,
    `${printable(unknown)} is no field of it${hint || `, as ${listed(known)} are`}`,
  );
}

/** Whether an object is a whole file, not widths alone. */
function isFile(found: Readonly<Record<string, unknown>>): boolean {
  return ["widths", ...FIELDS].some((field) =>
    Object.hasOwn(found, field) && (field === "widths" || typeof found[field] !== "number")
  );
}

/**
 * Reads a widths.json, or an object of widths by convolution alone. Raises a {@link DataError} for
 * anything else: fields and values that it does not know are refused, with the likeliest.
 */
export function parseWidths(text: string, fileName: string): GivenWidths {
  const name = printable(fileName, 300);
  const found = parseText(text, name);
  const file = isRecord(found) && isFile(found) ? found : { widths: found };
  refuseUnknown(file, name);
  const given = Object.hasOwn(file, "widths") ? file.widths : undefined;
  if (!isRecord(given) || !Object.keys(given).length) {
    const list = Array.isArray(given) && given.length ? ", found a list" : "";
    throw refused(name, `wanted an object of widths by convolution, as ${EXAMPLE}${list}`);
  }
  const widths = Object.fromEntries(
    Object.entries(given).map(([layer, width]) => [layer, parseWidth(layer, width, name)]),
  );
  const named = Object.hasOwn(file, "model") ? file.model : undefined;
  const model = typeof named === "string" && isModelFile(named)
    ? named
    : parseChoice(file, ["model", CHOICES.model], name);
  const stem = parseChoice(file, ["stem", CHOICES.stem], name);
  const variant = parseChoice(file, ["variant", CHOICES.variant], name);
  const trunk = parseChoice(file, ["trunk", CHOICES.trunk], name);
  const maskFrom = Object.hasOwn(file, "maskFrom") ? file.maskFrom : undefined;
  const isStage = typeof maskFrom === "number" && Number.isSafeInteger(maskFrom) && maskFrom >= 1;
  if (maskFrom !== undefined && !isStage) {
    throw refused(name, `maskFrom is a whole number from 1 on, found ${printableJson(maskFrom)}`);
  }
  return {
    widths,
    ...model === undefined ? {} : { model },
    ...stem === undefined ? {} : { stem },
    ...variant === undefined ? {} : { variant },
    ...trunk === undefined ? {} : { trunk },
    ...isStage ? { maskFrom } : {},
  };
}
