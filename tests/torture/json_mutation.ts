// Mutations of JSON that is still JSON, in which keys may occur twice.
import type { Random } from "../../data/random.ts";
import { oneOf, timesMutated } from "./mutation.ts";

/** A value: of objects the entries, of all else but lists its text. */
type Value =
  | { readonly entries: [string, Value][] }
  | { readonly items: Value[] }
  | { readonly text: string };

/** Names that readers may take for something else. */
const NAMES = [
  ...["__proto__", "constructor", "toString", "hasOwnProperty", "length", "", "a", "dtype"],
  ...["../x", "/etc/passwd", "..\\x", "C:\\CON", "a\0b", "\x1b[2J", "\ud800", "CON", "."],
  ...["__metadata__", "shape", "data_offsets", "kind", "layers", "widths", "model", "seed"],
];

const MOST = Number.MAX_SAFE_INTEGER;

/** Texts of values at which readers go wrong. */
const TEXTS: readonly string[] = [
  ...["null", "true", "false", "0", "-0", "-1", "1", "2", "3", "0.5", "1e308", "1e400", "-1e400"],
  ...["1e-400", "65535", "65536", "2147483648", "4294967296", `${MOST}`, `${MOST}1`, "[]", "{}"],
  ...["[[]]", "[0]", "[null]", '{"toString":1}', '{"length":9}', '{"__proto__":1}', '[1,"a"]'],
  ...[`[${MOST},${MOST}]`, `[${MOST},0]`, "[0,0]", "[1,0]", `{"valueOf":null}`, '{"0":1}'],
  ...NAMES.map((name) => JSON.stringify(name)),
];

/** Large ones, which are taken seldom. */
const LARGE: readonly string[] = [
  "[".repeat(3000) + "]".repeat(3000),
  '{"a":'.repeat(3000) + "1" + "}".repeat(3000),
  JSON.stringify("x".repeat(5000)),
  JSON.stringify('\\"{'.repeat(2000)),
  JSON.stringify(Array(3000).fill(1)),
  JSON.stringify(Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`k${i}`, i]))),
];

function valueOf(json: unknown): Value {
  if (Array.isArray(json)) return { items: json.map(valueOf) };
  if (typeof json === "object" && json !== null) {
    return { entries: Object.entries(json).map(([key, value]) => [key, valueOf(value)]) };
  }
  return { text: JSON.stringify(json) };
}

function copyOf(value: Value): Value {
  if ("entries" in value) return { entries: value.entries.map(([key, v]) => [key, copyOf(v)]) };
  return "items" in value ? { items: value.items.map(copyOf) } : value;
}

function textOf(value: Value): string {
  if ("items" in value) return `[${value.items.map(textOf).join()}]`;
  if ("text" in value) return value.text;
  return `{${value.entries.map(([key, v]) => `${JSON.stringify(key)}:${textOf(v)}`).join()}}`;
}

/** A place in which a value lies. */
interface Slot {
  readonly value: Value;
  put(value: Value): void;
  /** Takes it out, or puts it there once more; nothing for the outermost value. */
  readonly remove?: () => void;
  readonly repeat?: (value: Value) => void;
  /** Of an entry of an object. */
  readonly rename?: (key: string) => void;
}

/** All places, the outermost first. */
function slotsOf(root: { value: Value }): Slot[] {
  const slots: Slot[] = [{ value: root.value, put: (value) => root.value = value }];
  for (const { value } of slots) {
    if ("entries" in value) {
      const { entries } = value;
      for (const entry of entries) {
        const at = () => entries.indexOf(entry);
        slots.push({
          value: entry[1],
          put: (value) => entry[1] = value,
          remove: () => entries.splice(at(), 1),
          repeat: (value) => entries.push([entry[0], value]),
          rename: (key) => entry[0] = key,
        });
      }
    } else if ("items" in value) {
      const { items } = value;
      items.forEach((item, i) =>
        slots.push({
          value: item,
          put: (value) => items[i] = value,
          remove: () => items.splice(i, 1),
          repeat: (value) => items.splice(i, 0, value),
        })
      );
    }
  }
  return slots;
}

function otherNumber(text: string, random: Random): string {
  const number = Number(text);
  return String(oneOf(random, [
    ...[number + 1, number - 1, number * 2, number * 1024, Math.floor(number / 2), -number],
    ...[number + 0.5, number + 8, number - 8, number * 1e300],
  ])).replace(/Infinity/, "1e400").replace(/NaN/, "0");
}

/** The mutation of a text in JSON that is itself JSON, as files have metadata; nothing for others. */
function withinText(text: string, random: Random): string | undefined {
  const inner: unknown = text.startsWith('"') ? JSON.parse(text) : undefined;
  if (typeof inner !== "string" || !/^[[{]/.test(inner)) return undefined;
  try {
    return JSON.stringify(mutatedJson(inner, random));
  } catch {
    return undefined;
  }
}

function edit(slots: readonly Slot[], random: Random): void {
  const slot = oneOf(random, slots);
  const { value } = slot;
  const anyText = (): Value => ({ text: oneOf(random, random.integer(50) ? TEXTS : LARGE) });
  const inner = "text" in value && random.integer(8) ? withinText(value.text, random) : undefined;
  if (inner !== undefined) return slot.put({ text: inner });
  switch (random.integer(8)) {
    case 0:
      return slot.remove?.();
    case 1:
      return slot.repeat?.(random.integer(2) ? copyOf(value) : anyText());
    case 2:
      return slot.rename?.(oneOf(random, NAMES));
    case 3:
      return slot.put(copyOf(oneOf(random, slots).value));
    case 4:
    case 5:
      if ("text" in value && /^-?\d/.test(value.text)) {
        return slot.put({ text: otherNumber(value.text, random) });
      }
  }
  slot.put(anyText());
}

const PARSED = new Map<string, Value>();

/** The value of a text; those of whole files are kept. */
function parsed(text: string): Value {
  const known = PARSED.get(text);
  if (known) return copyOf(known);
  const value = valueOf(JSON.parse(text));
  if (PARSED.size < 100) PARSED.set(text, copyOf(value));
  return value;
}

/**
 * A text of JSON with one mutation or a few: values, numbers, keys, also those that occur twice.
 * Texts in it that are JSON are mutated as well. Raises a `SyntaxError` for what is no JSON.
 */
export function mutatedJson(text: string, random: Random): string {
  const root = { value: parsed(text) };
  for (let n = timesMutated(random); n > 0; n--) edit(slotsOf(root), random);
  return textOf(root.value);
}
