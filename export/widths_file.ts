import { DataError } from "../data/error.ts";
import { foundInstead } from "../data/found_instead.ts";
import type { Stem, Variant } from "../nn/resnet.ts";
import type { Budgeted } from "../nn/compress/width_cost.ts";

/** What a search of widths saves as widths.json. */
export interface WidthsFile {
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
  /** What there was to choose from. */
  readonly divisors: readonly number[];
  /** What was limited. */
  readonly budgeted: Budgeted;
  /** The limit, over the base network's. */
  readonly budget: number;
  /** What the small network of these widths has, over the base network's. */
  readonly found: number;
  /** Filters that masked convolutions keep, by name. */
  readonly widths: Readonly<Record<string, number>>;
}

/** What a search has found: the file, and what there was to keep. */
export interface WidthsFound {
  readonly file: WidthsFile;
  /** Filters of the same convolutions in the base network. */
  readonly full: Readonly<Record<string, number>>;
}

/** The JSON of a file. */
export function encodeWidths(file: WidthsFile): string {
  return JSON.stringify(file, null, 2) + "\n";
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What a file has to say: widths, and what they were found for. */
export type GivenWidths =
  & Pick<WidthsFile, "widths">
  & Partial<Pick<WidthsFile, "model" | "stem" | "variant" | "trunk" | "maskFrom">>;

function refused(name: string, what: string): DataError {
  return new DataError(`Cannot read widths from ${name}: ${what}; search writes such files`);
}

/**
 * Reads a widths.json, or an object of widths by convolution alone. Raises a {@link DataError} for
 * anything else.
 */
export function parseWidths(text: string, name: string): GivenWidths {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    throw refused(name, "wanted JSON");
  }
  const file = isRecord(found) && isRecord(found.widths) ? found : { widths: found };
  if (!isRecord(file.widths) || !Object.keys(file.widths).length) {
    throw refused(name, "wanted an object of widths by convolution");
  }
  const widths = Object.fromEntries(
    Object.entries(file.widths).map(([layer, width]) => {
      if (typeof width === "number" && Number.isInteger(width) && width >= 1) return [layer, width];
      const wanted = `the width of ${layer} is a whole number from 1 on`;
      throw refused(name, `${wanted}, found ${JSON.stringify(width)}`);
    }),
  );
  const { model, stem, variant, trunk, maskFrom } = file;
  return {
    widths,
    ...typeof model === "string" ? { model } : {},
    ...stem === "authors" || stem === "cifar" ? { stem } : {},
    ...variant === "xresnet" || variant === "torchvision" ? { variant } : {},
    ...trunk === "shared" || trunk === "separate" ? { trunk } : {},
    ...typeof maskFrom === "number" ? { maskFrom } : {},
  };
}

/** Reads the widths of a file. Raises a {@link DataError} when it cannot be read or has none. */
export async function readWidths(path: string): Promise<GivenWidths> {
  const text = await Deno.readTextFile(path).catch((cause) => {
    throw new DataError(
      `Cannot read widths: wanted the widths.json of a search, found ${foundInstead(path, cause)}`,
      { cause },
    );
  });
  return parseWidths(text, path);
}
