import { isRecord } from "../data/json.ts";
import { isWidth } from "../export/widths_file.ts";
import type { Widths } from "../nn/compress/adjoin.ts";
import { isSmallName } from "../nn/which.ts";
import type { RunWidths, WidthsByName } from "../train/small_widths.ts";

/** Whether something is widths by convolution. */
function isWidths(value: unknown): value is Widths {
  return isRecord(value) && Object.values(value).every(isWidth);
}

/** Whether something is widths of several small networks. */
function areNamed(value: Readonly<Record<string, unknown>>): value is WidthsByName {
  const entries = Object.entries(value);
  return entries.length > 0 && entries.every(([name, of]) => isSmallName(name) && isWidths(of));
}

/** The widths that config.json holds of a run that was given some; nothing where they are none. */
export function writtenWidths(widths: unknown): RunWidths | undefined {
  if (!isRecord(widths)) return undefined;
  if (isWidths(widths)) return { widths };
  return areNamed(widths) ? { widths } : undefined;
}
