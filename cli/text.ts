import { listed } from "../data/words.ts";

/** A whole number with its thousands set apart: `1,767,584`. */
export function grouped(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ",");
}

const UNITS: readonly (readonly [number, string])[] = [[1e12, "T"], [1e9, "G"], [1e6, "M"], [
  1e3,
  "k",
]];

/** A count in four digits: `1.618 G`, `75.29 k`, `640`. */
export function scaled(value: number): string {
  const unit = UNITS.find(([size]) => value >= size);
  return unit ? `${(value / unit[0]).toPrecision(4)} ${unit[1]}` : String(value);
}

/** A size of a file in three digits: `302 kB`, `7.12 MB`. */
export function fileSize(bytes: number): string {
  const unit = UNITS.find(([size]) => bytes >= size);
  if (!unit) return `${bytes} B`;
  const value = bytes / unit[0];
  return `${value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)} ${unit[1]}B`;
}

/** A small number in two digits: `1.2e-7`, `0`. */
export function difference(value: number): string {
  return value === 0 ? "0" : value.toExponential(1);
}

/** Seconds as `8.3 s`, `2:05` or `1:02:05`. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "?";
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  const whole = Math.round(seconds);
  const two = (n: number) => String(n % 60).padStart(2, "0");
  const [minutes, hours] = [Math.floor(whole / 60), Math.floor(whole / 3600)];
  return hours ? `${hours}:${two(minutes)}:${two(whole)}` : `${minutes}:${two(whole)}`;
}

/** One of the words, or `a, b or c`. */
export function either(words: readonly string[]): string {
  return listed(words, "or");
}

/**
 * Rows of cells in columns, two spaces apart: those of the columns `left` begin in line, the others
 * end in line.
 */
export function columns(
  rows: readonly (readonly string[])[],
  left: readonly number[] = [0],
): string[] {
  const widths = rows.reduce<number[]>(
    (found, row) => row.map((cell, i) => Math.max(found[i] ?? 0, cell.length)),
    [],
  );
  return rows.map((row) =>
    row.map((cell, i) => left.includes(i) ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))
      .join("  ").trimEnd()
  );
}

/** Breaks text into lines of at most `width` characters, between words. */
export function wrap(text: string, width: number): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines[lines.length - 1];
    if (line && line.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = line ? `${line} ${word}` : word;
  }
  return lines;
}
