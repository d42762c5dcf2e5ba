/** Tells of what fails again and again: once, and once more where it had worked or fails otherwise. */
export class SaidOnce {
  readonly #note: (text: string) => void;
  /** What was last wrong, by what it is wrong with. */
  readonly #wrong = new Map<string, string>();

  constructor(note: (text: string) => void) {
    this.#note = note;
  }

  /** Whether something is wrong with it, as far as is known. */
  isWrong(what: string): boolean {
    return this.#wrong.has(what);
  }

  /** It worked. */
  worked(what: string): void {
    this.#wrong.delete(what);
  }

  /** It failed; `text` says why. */
  failed(what: string, text: string): void {
    if (this.#wrong.get(what) === text) return;
    this.#wrong.set(what, text);
    this.#note(text);
  }
}
