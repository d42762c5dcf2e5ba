import { PerDevice } from "../gpu/per_device.ts";
import { type Work, workKey } from "./work.ts";

/** Chosen tiles by adapter and work, as plain JSON. */
export type SavedChoices = Readonly<Record<string, Readonly<Record<string, string>>>>;

/**
 * The tiles chosen for works, by name. A work without a choice takes the tile of the best estimate.
 */
export class Choices {
  readonly #names = new Map<string, string>();
  readonly #open = new Map<string, Work>();

  /** The choice for a work, out of `names`; a work without one is added to {@link open}. */
  get(work: Work, names: readonly string[]): string | undefined {
    const key = workKey(work);
    const name = names.find((name) => name === this.#names.get(key));
    if (name === undefined) this.#open.set(key, work);
    return name;
  }

  /** Chooses a tile for a work. Programs that are already traced keep theirs. */
  set(work: Work, name: string): void {
    const key = workKey(work);
    this.#names.set(key, name);
    this.#open.delete(key);
  }

  /** Takes a choice back. */
  delete(work: Work): void {
    this.#names.delete(workKey(work));
  }

  /** The works that were traced without a choice. */
  get open(): readonly Work[] {
    return [...this.#open.values()];
  }

  /** All choices, as plain JSON under the adapter they were made for. */
  save(adapter: string): SavedChoices {
    return { [adapter]: Object.fromEntries(this.#names) };
  }

  /**
   * Takes the choices for an adapter out of parsed JSON, and returns how many there were. Raises a
   * `TypeError` for JSON of another form.
   */
  load(adapter: string, saved: unknown): number {
    const own = entriesOf(saved).find(([name]) => name === adapter)?.[1];
    if (own === undefined) return 0;
    const choices = entriesOf(own);
    for (const [, name] of choices) {
      if (typeof name !== "string") throw wrongForm(name);
    }
    for (const [key, name] of choices) {
      this.#names.set(key, String(name));
      this.#open.delete(key);
    }
    return choices.length;
  }
}

/** The tiles chosen on each device. */
export const tileChoices: PerDevice<Choices> = new PerDevice(() => new Choices());

function entriesOf(value: unknown): [string, unknown][] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw wrongForm(value);
  return Object.entries(value);
}

function wrongForm(found: unknown): TypeError {
  const kind = found === null ? "null" : Array.isArray(found) ? "a list" : `a ${typeof found}`;
  return new TypeError(
    "Cannot load choices of tiles: wanted an object of adapters, each an object from works to " +
      `names of tiles, found ${kind}`,
  );
}
