const GOLDEN = 0x9e3779b9;

/** The finaliser of splitmix32: a bijection in which every bit of the result depends on every bit of x. */
function mix(x: number): number {
  x = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
  x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
  return x ^ (x >>> 15);
}

/** Raises a `RangeError` unless a seed is a whole number from 0 to 2^53 - 1. */
export function checkSeed(seed: number): void {
  if (Number.isSafeInteger(seed) && seed >= 0) return;
  throw new RangeError(
    `Cannot seed random numbers: a seed is a whole number from 0 to 2^53 - 1, found ${seed}`,
  );
}

/**
 * Seeded random numbers: xoshiro128**, whose four words are hashed from the seed and the name of a
 * stream by splitmix32's mixing. One seed gives as many independent streams as there are names.
 *
 * Integer arithmetic only, so the same seed gives the same bits on every platform. `normal` and
 * `gumbel` go through `Math.log` and `Math.cos`, whose last digit an engine may choose.
 */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  /**
   * Starts a stream of a seed. The seed is a whole number from 0 to 2^53 - 1, else a `RangeError`;
   * streams 1 and "1" are the same.
   */
  constructor(seed: number, stream: number | string = 0) {
    checkSeed(seed);
    const words = [seed >>> 0, Math.floor(seed / 2 ** 32)];
    for (const letter of String(stream)) words.push(letter.codePointAt(0) ?? 0);
    const lane = (k: number) => words.reduce((h, word) => mix((h ^ word) + GOLDEN | 0), k * GOLDEN);
    this.#a = lane(1);
    this.#b = lane(2);
    this.#c = lane(3);
    this.#d = lane(4);
  }

  /** Goes on where {@link state} was taken; raises a `RangeError` for what is not such a state. */
  static from(state: readonly number[]): Random {
    const words = state.every((word) => Number.isInteger(word) && word >= 0 && word < 2 ** 32);
    if (state.length !== 4 || !words || state.every((word) => word === 0)) {
      throw new RangeError(
        `Cannot restore random numbers: a state is four 32-bit words, not all 0, found [${state}]`,
      );
    }
    const random = new Random(0);
    [random.#a, random.#b, random.#c, random.#d] = state.map((word) => word | 0);
    return random;
  }

  /** The four 32-bit words from which {@link from} goes on. */
  state(): number[] {
    return [this.#a >>> 0, this.#b >>> 0, this.#c >>> 0, this.#d >>> 0];
  }

  /** 32 random bits, as a whole number from 0 to 2^32 - 1. */
  bits(): number {
    const b = this.#b;
    const c = this.#c ^ this.#a;
    const d = this.#d ^ b;
    this.#b = b ^ c;
    this.#a ^= d;
    this.#c = c ^ (b << 9);
    this.#d = (d << 11) | (d >>> 21);
    const five = Math.imul(b, 5);
    return Math.imul((five << 7) | (five >>> 25), 9) >>> 0;
  }

  /** Uniform in [0, 1), in steps of 2^-32. */
  uniform(): number {
    return this.bits() / 2 ** 32;
  }

  /** A whole number from 0 to n - 1, each equally likely; n from 1 to 2^32, else a `RangeError`. */
  integer(n: number): number {
    if (!Number.isInteger(n) || n < 1 || n > 2 ** 32) {
      throw new RangeError(
        `Cannot draw an integer below ${n}: wanted a whole number from 1 to 2^32`,
      );
    }
    // Draws above the last whole multiple of n would favour small remainders.
    const end = 2 ** 32 - 2 ** 32 % n;
    let bits = this.bits();
    while (bits >= end) bits = this.bits();
    return bits % n;
  }

  /** Normal with mean 0 and variance 1 (Box-Muller); takes two draws. */
  normal(): number {
    return Math.sqrt(-2 * Math.log(this.#open())) * Math.cos(2 * Math.PI * this.uniform());
  }

  /** Standard Gumbel, -log(-log(u)): theta + gumbel is largest at i with chance softmax(theta)_i. */
  gumbel(): number {
    return -Math.log(-Math.log(this.#open()));
  }

  /** Puts the values into random order, in place (Fisher-Yates). */
  shuffle(values: Uint32Array): void {
    for (let i = values.length - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      const value = values[i];
      values[i] = values[j];
      values[j] = value;
    }
  }

  /** Uniform in the open interval (0, 1), for logarithms. */
  #open(): number {
    return (this.bits() + 0.5) / 2 ** 32;
  }
}
