/** Names that are all different. */
export class FreeNames {
  readonly #taken: Set<string>;

  /** `taken` are those that there are already. */
  constructor(taken: Iterable<string>) {
    this.#taken = new Set(taken);
  }

  /** A name that is free: the wanted one, or that with a number. */
  take(wanted: string): string {
    let name = wanted;
    for (let n = 2; this.#taken.has(name); n++) name = `${wanted}_${n}`;
    this.#taken.add(name);
    return name;
  }
}
