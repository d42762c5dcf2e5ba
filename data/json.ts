import { printable } from "./printable.ts";

/** A name that assigning to an object takes for its prototype. */
const RESERVED = "__proto__";

/**
 * Raised for JSON in which an object has a key that it may not have: one that occurs twice, or
 * `__proto__`. The message goes after "found".
 */
export class JsonKeyError extends SyntaxError {
  /** "JsonKeyError", as printed before the message. */
  override readonly name: string = "JsonKeyError";
}

/** Whether the character at a place has an odd number of backslashes before it. */
function isEscaped(text: string, at: number): boolean {
  let start = at;
  while (text[start - 1] === "\\") start--;
  return (at - start) % 2 === 1;
}

/** Where the string that begins at a place ends: its closing quote. */
function closingQuote(text: string, opening: number): number {
  let at = text.indexOf('"', opening + 1);
  while (isEscaped(text, at)) at = text.indexOf('"', at + 1);
  return at;
}

/** The text of a string between its quotes. */
function textOf(quoted: string): string {
  return quoted.includes("\\") ? String(JSON.parse(quoted)) : quoted.slice(1, -1);
}

/** Raises a {@link JsonKeyError} for a key that may not be there. `text` has to be JSON. */
function checkKeys(text: string): void {
  const pieces = /["{}]/g;
  const colon = /[ \t\n\r]*:/y;
  // Without recursion: objects may lie in each other as deep as the text is long.
  const open: Set<string>[] = [];
  for (let piece = pieces.exec(text); piece; piece = pieces.exec(text)) {
    const [character] = piece;
    if (character === "{") open.push(new Set());
    else if (character === "}") open.pop();
    else {
      const end = closingQuote(text, piece.index);
      pieces.lastIndex = colon.lastIndex = end + 1;
      if (!colon.test(text)) continue;
      const key = textOf(text.slice(piece.index, end + 1));
      const keys = open.at(-1);
      const shown = `the key "${printable(key)}"`;
      if (keys?.has(key)) throw new JsonKeyError(`${shown} twice`);
      if (key === RESERVED) throw new JsonKeyError(`${shown}, which no object may have`);
      keys?.add(key);
    }
  }
}

/** Whether an object with this key can be written as JSON and read back by {@link parseJson}. */
export function isKey(key: string): boolean {
  return key !== RESERVED;
}

/**
 * The value of a text of JSON, as `JSON.parse` gives it. Raises a `SyntaxError` for what is none,
 * and a {@link JsonKeyError} for an object that has a key twice, of which `JSON.parse` keeps the
 * last without a word, or the key `__proto__`.
 */
export function parseJson(text: string): unknown {
  const value: unknown = JSON.parse(text);
  checkKeys(text);
  return value;
}

/** What is wrong with a text that {@link parseJson} refuses, if it is a key; goes after "found". */
export function wrongKey(error: unknown): string | undefined {
  return error instanceof JsonKeyError ? error.message : undefined;
}

/** Whether a value is an object with keys of its own, and no list. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
