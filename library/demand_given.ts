import { isRecord } from "../data/json.ts";
import { printableJson } from "../data/printable.ts";

/** What was given, in a few words. */
function found(value: unknown): string {
  if (typeof value !== "object" || value === null) return printableJson(value) ?? String(value);
  const names = Object.keys(value).slice(0, 5);
  return names.length ? `one with ${names.join(", ")}` : "an empty one";
}

/**
 * Raises a `TypeError` for what is no object with all of these fields, as JavaScript may give it;
 * `doing` is the beginning of the message, `wanted` what the object is.
 */
export function demandFields(
  value: unknown,
  names: readonly string[],
  { doing, wanted }: { readonly doing: string; readonly wanted: string },
): void {
  if (isRecord(value) && names.every((name) => value[name] !== undefined)) return;
  throw new TypeError(`${doing}: wanted ${wanted}, found ${found(value)}`);
}

/** Raises a `TypeError` for settings without images to train on and to measure. */
export function demandData(doing: string, settings: unknown): void {
  demandFields(settings, ["data"], { doing, wanted: "an object of options with data" });
  demandFields(isRecord(settings) ? settings.data : undefined, [
    ...["train", "validation", "normalization"],
  ], { doing, wanted: "data with train, validation and normalization" });
}

/** Raises a `TypeError` for what is no set of images. */
export function demandImages(doing: string, dataset: unknown): void {
  demandFields(dataset, ["classes", "length", "height", "width"], {
    doing,
    wanted: "a set of images",
  });
}
