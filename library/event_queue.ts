/** What is given one after the other to whoever iterates over it, and kept until then. */
export class EventQueue<T> implements AsyncIterableIterator<T, void, void> {
  readonly #kept: T[];
  readonly #isOutdated: (kept: T, by: T) => boolean;
  readonly #left: () => Promise<void>;
  readonly #waiting: PromiseWithResolvers<IteratorResult<T, void>>[] = [];
  #end?: { readonly error?: { readonly raised: unknown } };

  /** Begins with some items. */
  constructor(
    { first = [], isOutdated = () => false, left }: {
      readonly first?: readonly T[];
      /** Whether an item that nobody has read yet is of no use any more, by the one after it. */
      readonly isOutdated?: (kept: T, by: T) => boolean;
      /** Is called, and waited for, where whoever iterates leaves before the end. */
      readonly left: () => Promise<void>;
    },
  ) {
    this.#kept = [...first];
    this.#isOutdated = isOutdated;
    this.#left = left;
  }

  /** Gives an item to whoever waits for it first, or keeps it. */
  push(value: T): void {
    if (this.#end) return;
    const waiting = this.#waiting.shift();
    if (waiting) return waiting.resolve({ done: false, value });
    const last = this.#kept.length - 1;
    if (last >= 0 && this.#isOutdated(this.#kept[last], value)) this.#kept[last] = value;
    else this.#kept.push(value);
  }

  /** Ends after what is kept; with an error, that is raised then. */
  end(error?: { readonly raised: unknown }): void {
    if (this.#end) return;
    const [first, ...others] = this.#waiting.splice(0);
    const ended = { done: true, value: undefined } as const;
    if (first && error) first.reject(error.raised);
    else first?.resolve(ended);
    for (const other of others) other.resolve(ended);
    // An error is raised once.
    this.#end = first ? {} : { error };
  }

  /** The next item; waits until there is one. */
  next(): Promise<IteratorResult<T, void>> {
    if (this.#kept.length) {
      return Promise.resolve({ done: false, value: this.#kept.splice(0, 1)[0] });
    }
    const end = this.#end;
    if (!end) {
      const waiting = Promise.withResolvers<IteratorResult<T, void>>();
      this.#waiting.push(waiting);
      return waiting.promise;
    }
    this.#end = {};
    return end.error
      ? Promise.reject(end.error.raised)
      : Promise.resolve({ done: true, value: undefined });
  }

  /** Leaves before the end. */
  async return(): Promise<IteratorResult<T, void>> {
    this.#kept.splice(0);
    this.end();
    await this.#left();
    return { done: true, value: undefined };
  }

  /** Itself. */
  [Symbol.asyncIterator](): this {
    return this;
  }
}
