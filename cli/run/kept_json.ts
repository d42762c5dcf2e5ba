// What is measured once for a machine, and kept from run to run.
import { DataError } from "../../data/error.ts";
import { isRecord, parseJson, wrongKey } from "../../data/json.ts";
import { printableJson } from "../../data/printable.ts";
import { readText } from "./read_file.ts";
import { writeWhole } from "./whole_file.ts";

/** Whether something is allowed. */
export async function granted(descriptor: Deno.PermissionDescriptor): Promise<boolean> {
  return (await Deno.permissions.query(descriptor)).state === "granted";
}

/**
 * Where things are kept from run to run: `$XDG_CACHE_HOME/adjoin`, or `~/.cache/adjoin`.
 * `undefined` where neither variable is set, or may not be read.
 */
export async function cacheFolder(): Promise<string | undefined> {
  const variable = async (name: string): Promise<string | undefined> =>
    await granted({ name: "env", variable: name }) ? Deno.env.get(name) || undefined : undefined;
  const cache = await variable("XDG_CACHE_HOME");
  if (cache) return `${cache}/adjoin`;
  const home = await variable("HOME");
  return home && `${home}/.cache/adjoin`;
}

/** What a file keeps of each owner, as an adapter. */
export type Kept<Value> = Readonly<Record<string, Readonly<Record<string, Value>>>>;

/** A JSON file in a cache: values by name, of each of several owners. */
export class KeptJson<Value> {
  readonly #name: string;
  readonly #what: string;
  readonly #owners: string;
  readonly #fits: (value: unknown) => value is Value;

  constructor({ name, what, owners, fits }: {
    /** Of the file. */
    readonly name: string;
    /** What it holds, as "tiles". */
    readonly what: string;
    /** Whose they are, as "adapters". */
    readonly owners: string;
    readonly fits: (value: unknown) => value is Value;
  }) {
    this.#name = name;
    this.#what = what;
    this.#owners = owners;
    this.#fits = fits;
  }

  #areValues(found: unknown): found is Readonly<Record<string, Value>> {
    return isRecord(found) && Object.values(found).every(this.#fits);
  }

  /**
   * What a text keeps of owners whose values have the right form. Raises a {@link DataError} for a
   * text that is no JSON, or no object.
   */
  parse(text: string): Kept<Value> {
    let found: unknown;
    try {
      found = parseJson(text);
    } catch (cause) {
      const why = wrongKey(cause) ?? "a text that is not JSON";
      throw new DataError(`Cannot read ${this.#what}: wanted JSON, found ${why}`, { cause });
    }
    if (!isRecord(found)) {
      throw new DataError(
        `Cannot read ${this.#what}: wanted an object of ${this.#owners}, found ` +
          printableJson(found),
      );
    }
    return Object.fromEntries(
      Object.entries(found).flatMap(([owner, values]) =>
        this.#areValues(values) ? [[owner, values] as const] : []
      ),
    );
  }

  /** What a folder keeps; nothing where it keeps nothing that can be read: it is measured once more. */
  async read(folder: string): Promise<Kept<Value>> {
    const path = `${folder}/${this.#name}`;
    if (!await granted({ name: "read", path })) return {};
    try {
      return this.parse(await readText(path));
    } catch {
      return {};
    }
  }

  /**
   * Keeps what `change` makes of what there is; does nothing where it cannot. Of two runs that save at
   * once the last stays, and one may measure again.
   */
  async save(folder: string, change: (there: Kept<Value>) => Kept<Value>): Promise<void> {
    if (!await granted({ name: "write", path: folder })) return;
    const all = change(await this.read(folder));
    try {
      await Deno.mkdir(folder, { recursive: true });
      const bytes = new TextEncoder().encode(JSON.stringify(all, null, 2) + "\n");
      await writeWhole(`${folder}/${this.#name}`, bytes);
    } catch {
      // The next run measures once more.
    }
  }
}
