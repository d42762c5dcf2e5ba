/** Sets of whole numbers that merge; a set is named by its least number. */
export class Unions {
  readonly #parents: number[] = [];

  /** A new number, in a set of its own. */
  add(): number {
    return this.#parents.push(this.#parents.length) - 1;
  }

  /** The name of the set of a number. */
  find(i: number): number {
    let root = i;
    while (this.#parents[root] !== root) root = this.#parents[root];
    for (let at = i; at !== root;) [at, this.#parents[at]] = [this.#parents[at], root];
    return root;
  }

  /** Makes one set of those of two numbers. */
  merge(a: number, b: number): void {
    const [first, second] = [this.find(a), this.find(b)].sort((x, y) => x - y);
    this.#parents[second] = first;
  }
}
