/** Characters that are left of a text unless told. */
const LIMIT = 100;

/**
 * Characters that a terminal acts on or does not show: controls, line separators, lone surrogates,
 * and formats as of bidirectional text. Joiners (U+200C, U+200D) belong to words and emoji.
 */
const HIDDEN = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]|(?![\u200c\u200d])\p{Cf}/u;

const SHORT: ReadonlyMap<string, string> = new Map([
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
]);

function escaped(character: string): string {
  if (!HIDDEN.test(character)) return character;
  const short = SHORT.get(character);
  if (short !== undefined) return short;
  const code = (character.codePointAt(0) ?? 0).toString(16);
  return code.length <= 2 ? `\\x${code.padStart(2, "0")}` : `\\u{${code}}`;
}

/**
 * Text from a file or a user, fit for a message or a terminal: characters that would move the
 * cursor, colour, hide or turn round what follows are shown as escapes (`\x1b`, `\u{202e}`), and
 * after `limit` characters it ends with `...`. Takes no longer for a longer text.
 *
 * @param text Any text.
 * @param limit Characters at most, besides the `...`; 100 unless told.
 */
export function printable(text: string, limit = LIMIT): string {
  let shown = "";
  // By code points, so that no pair of surrogates is cut.
  for (const character of text) {
    const piece = escaped(character);
    if (shown.length + piece.length > limit) return `${shown}...`;
    shown += piece;
  }
  return shown;
}

/**
 * A value as JSON, with the bounds of {@link printable}: only as much of it is visited as is shown,
 * however long or deeply nested it is.
 *
 * @param value What `JSON.parse` gives; others are shown as their `String`.
 * @param limit Characters at most, besides the `...`; 100 unless told.
 */
export function printableJson(value: unknown, limit = LIMIT): string {
  let json = "";
  const full = () => json.length > limit;
  const quoted = (text: string) => JSON.stringify(text.slice(0, limit + 1 - json.length));
  const visit = (value: unknown): void => {
    if (full()) return;
    if (typeof value === "string") json += quoted(value);
    else if (Array.isArray(value)) {
      json += "[";
      for (let i = 0; i < value.length && !full(); i++) {
        if (i > 0) json += ",";
        visit(value[i]);
      }
      json += "]";
    } else if (typeof value === "object" && value !== null) {
      json += "{";
      let first = true;
      for (const key in value) {
        if (full()) break;
        if (!Object.hasOwn(value, key)) continue;
        json += `${first ? "" : ","}${quoted(key)}:`;
        first = false;
        visit(Reflect.get(value, key));
      }
      json += "}";
    } else json += String(value);
  };
  visit(value);
  return printable(json, limit);
}
