/**
 * Command line arguments, as `@std/cli/parse-args` reads them. Left out: dotted names as nested
 * objects.
 *
 * @module
 */

/** The value of option `K`: a default, where there is one, takes the place of `undefined`. */
type Value<K, Kind, Default> = K extends keyof Default ? Kind | Default[K] : Kind | undefined;

/** What {@link parseArgs} returns. Names that no option declares are `unknown`. */
export type Args<
  Booleans extends string = never,
  Strings extends string = never,
  Collected extends string = never,
  Negatable extends string = never,
  Default = Record<never, never>,
> =
  & Record<string, unknown>
  & { [K in Exclude<Booleans, Collected>]: boolean }
  & {
    [K in Exclude<Strings, Collected>]:
      | Value<K, string, Default>
      | (K extends Negatable ? false : never);
  }
  & { [K in Extract<Booleans, Collected>]: boolean[] }
  & { [K in Extract<Strings, Collected>]: string[] }
  & { _: (string | number)[]; "--"?: string[] };

/** The options of {@link parseArgs}; each list may also be a single name. */
export interface ParseOptions<
  Booleans extends string = never,
  Strings extends string = never,
  Collected extends string = never,
  Negatable extends string = never,
  Default extends Record<string, unknown> = Record<string, unknown>,
> {
  /** Options without a value, `false` unless given; `true` means all that start with `--`. */
  boolean?: boolean | Booleans | readonly Booleans[];
  /** Options whose values are not turned into numbers. */
  string?: Strings | readonly Strings[];
  /** Options that may be given more than once and become an array. */
  collect?: Collected | readonly Collected[];
  /** Options that `--no-name` sets to `false`. */
  negatable?: Negatable | readonly Negatable[];
  default?: Default;
  /** Other names of an option. */
  alias?: Record<string, string | readonly string[]>;
  /** Whether what follows `--` goes to `args["--"]` rather than to `args._`. */
  "--"?: boolean;
  /** Whether everything after the first argument that is not an option goes to `args._`. */
  stopEarly?: boolean;
  /** Called for what no option declares; `false` keeps it out of the result. */
  unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}

function listOf(names: string | readonly string[] | boolean | undefined): readonly string[] {
  if (typeof names === "string") return [names];
  return typeof names === "object" ? names : [];
}

function isNumber(text: string): boolean {
  return /^(?:0x[0-9a-f]+|[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[-+]?\d+)?)$/i.test(text);
}

/** Reads `args`, such as `Deno.args`, into an object with a field for each option. */
export function parseArgs<
  Booleans extends string = never,
  Strings extends string = never,
  Collected extends string = never,
  Negatable extends string = never,
  const Default extends Record<string, unknown> = Record<never, never>,
>(
  args: readonly string[],
  options: ParseOptions<Booleans, Strings, Collected, Negatable, Default> = {},
): Args<Booleans, Strings, Collected, Negatable, Default> {
  const names = new Map<string, Set<string>>();
  for (const [key, others] of Object.entries(options.alias ?? {})) {
    const all = new Set([key, ...listOf(others)]);
    for (const name of all) names.set(name, all);
  }
  const namesOf = (key: string): Iterable<string> => names.get(key) ?? [key];
  const withAliases = (keys: readonly string[]) => new Set(keys.flatMap((k) => [...namesOf(k)]));
  const booleans = withAliases(listOf(options.boolean));
  const strings = withAliases(listOf(options.string));
  const collected = withAliases(listOf(options.collect));
  const negatable = withAliases(listOf(options.negatable));

  const positional: (string | number)[] = [];
  const result: Record<string, unknown> = {};

  function set(key: string, value: string | boolean, arg: string): void {
    const typed = typeof value === "string" && !strings.has(key) && isNumber(value)
      ? Number(value)
      : value;
    const known = booleans.has(key) || strings.has(key) || names.has(key) ||
      (options.boolean === true && arg.startsWith("--") && !arg.includes("="));
    if (!known && options.unknown?.(arg, key, value) === false) return;
    for (const name of namesOf(key)) {
      const before = result[name];
      if (!collected.has(name)) result[name] = typed;
      else result[name] = Array.isArray(before) ? [...before, typed] : [typed];
    }
  }

  /** Sets an option that stands alone, taking `next` if it is a value; says whether it did. */
  function setFrom(key: string, next: string | undefined, arg: string): boolean {
    const alone = booleans.has(key) || (options.boolean === true && arg.startsWith("--"));
    const taken = next !== undefined &&
      (alone ? next === "true" || next === "false" : next === "-" || !next.startsWith("-"));
    if (!taken) set(key, strings.has(key) ? "" : true, arg);
    else set(key, alone ? next === "true" : next, arg);
    return taken;
  }

  const cut = args.indexOf("--");
  const before = cut < 0 ? args : args.slice(0, cut);
  const after = cut < 0 ? [] : args.slice(cut + 1);
  for (let i = 0; i < before.length; i++) {
    const arg = before[i];
    if (arg === "-" || !arg.startsWith("-")) {
      if (options.unknown?.(arg) !== false) {
        positional.push(isNumber(arg) && !strings.has("_") ? Number(arg) : arg);
      }
      if (options.stopEarly) {
        positional.push(...before.slice(i + 1));
        break;
      }
      continue;
    }
    const equals = arg.indexOf("=");
    const name = equals < 0 ? arg : arg.slice(0, equals);
    const value = equals < 0 ? undefined : arg.slice(equals + 1);
    let key: string;
    if (name.startsWith("--")) {
      key = name.slice(2);
      if (value === undefined && key.startsWith("no-") && negatable.has(key.slice(3))) {
        set(key.slice(3), false, arg);
        continue;
      }
    } else {
      // -abc is -a -b -c; -n5 is -n 5.
      const [, letters, number] = name.slice(1).match(/^([^\d.]*[^\d.-])(-?[\d.].*)$/) ??
        ["", name.slice(1), undefined];
      for (const letter of letters.slice(0, -1)) set(letter, strings.has(letter) ? "" : true, arg);
      key = letters.slice(-1);
      if (number !== undefined && value === undefined) {
        set(key, number, arg);
        continue;
      }
    }
    if (value !== undefined) set(key, booleans.has(key) ? value !== "false" : value, arg);
    else if (setFrom(key, before[i + 1], arg)) i++;
  }

  for (const [key, value] of Object.entries(options.default ?? {})) {
    for (const name of namesOf(key)) if (!Object.hasOwn(result, name)) result[name] = value;
  }
  for (const key of [...booleans, ...strings, ...collected]) {
    if (Object.hasOwn(result, key)) continue;
    if (collected.has(key)) result[key] = [];
    else if (booleans.has(key)) result[key] = false;
  }
  result._ = options["--"] ? positional : [...positional, ...after];
  if (options["--"]) result["--"] = [...after];
  return result as Args<Booleans, Strings, Collected, Negatable, Default>;
}
