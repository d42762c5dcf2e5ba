import { costOf, costOfChoice, type WidthCost } from "./width_cost.ts";
import { type WidthGroups, widthsOfGroup } from "./width_groups.ts";

/** One choice of candidates, by group. */
export type Choice = readonly number[];

/** The lowest and the highest cost that a choice can have. */
export interface Feasible {
  /** The cost of the smallest network. */
  readonly least: number;
  /** The cost of the largest network. */
  readonly most: number;
}

function extreme(groups: WidthGroups, better: (a: number, b: number) => boolean): number[] {
  return groups.groups.map((_, g): number => {
    const widths = widthsOfGroup(groups, g);
    return widths.reduce((best, width, i) => better(width, widths[best]) ? i : best, 0);
  });
}

/** The lowest and the highest cost of a choice. */
export function feasible(groups: WidthGroups, cost: WidthCost): Feasible {
  return {
    least: costOfChoice(cost, extreme(groups, (a, b) => a < b)),
    most: costOfChoice(cost, extreme(groups, (a, b) => a > b)),
  };
}

/** Logits `[groups, candidates]` whose expected cost is the budget, widths alike in all groups. */
export function logitsAt(groups: WidthGroups, cost: WidthCost, budget: number): Float32Array {
  const shares = groups.groups.flatMap((_, g) => {
    const widths = widthsOfGroup(groups, g);
    return widths.map((width) => width / Math.max(...widths));
  });
  const candidates = groups.divisors.length;
  const at = (slope: number): Float32Array => Float32Array.from(shares, (share) => slope * share);
  let [low, high] = [-16, 16];
  for (let i = 0; i < 40; i++) {
    const middle = (low + high) / 2;
    if (costOf(cost, softmax(at(middle), candidates)) < budget) low = middle;
    else high = middle;
  }
  return at((low + high) / 2);
}

/** Row by row, exp(x) / Σ exp(x). */
export function softmax(logits: ArrayLike<number>, candidates: number): Float64Array {
  const result = Float64Array.from(logits);
  for (let start = 0; start < result.length; start += candidates) {
    const row = result.subarray(start, start + candidates);
    const high = Math.max(...row);
    row.forEach((x, i) => row[i] = Math.exp(x - high));
    const sum = row.reduce((a, b) => a + b);
    row.forEach((x, i) => row[i] = x / sum);
  }
  return result;
}

/** Mean over the groups of the entropy of their choice, over that of an even one: 1 to 0. */
export function entropyOf(logits: ArrayLike<number>, candidates: number): number {
  const gates = softmax(logits, candidates);
  const groups = gates.length / candidates;
  const sum = gates.reduce((total, p) => total - (p > 0 ? p * Math.log(p) : 0), 0);
  return sum / groups / Math.log(candidates);
}

/** `[n, n]`: the cost of each pair of candidates, in either order. */
function bothWays({ pairs, singles: { length: n } }: WidthCost): Float64Array {
  const sums = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      sums[i * n + j] = pairs[i * n + j] + (i === j ? 0 : pairs[j * n + i]);
    }
  }
  return sums;
}

/** A choice under way: what a change of it would do to cost and likelihood, without doing it. */
class Walk {
  readonly choice: number[];
  cost: number;
  readonly #form: WidthCost;
  readonly #pairs: Float64Array;
  readonly #logits: ArrayLike<number>;
  readonly #candidates: number;

  constructor(
    form: WidthCost,
    pairs: Float64Array,
    { logits, choice }: { logits: ArrayLike<number>; choice: Choice },
  ) {
    this.#form = form;
    this.#pairs = pairs;
    this.#logits = logits;
    this.#candidates = form.singles.length / choice.length;
    this.choice = [...choice];
    this.cost = costOfChoice(form, choice);
  }

  #at(group: number, candidate: number): number {
    return group * this.#candidates + candidate;
  }

  #pair(i: number, j: number): number {
    return this.#pairs[i * this.#form.singles.length + j];
  }

  /** All changes of one group. */
  moves(): Move[] {
    return this.choice.flatMap((now, group) =>
      Array.from({ length: this.#candidates }, (_, to) => to).filter((to) => to !== now).map(
        (to): Move => {
          const [i, k] = [this.#at(group, now), this.#at(group, to)];
          let cost = this.#form.singles[k] - this.#form.singles[i];
          cost += this.#pair(k, k) - this.#pair(i, i);
          this.choice.forEach((candidate, other) => {
            const j = this.#at(other, candidate);
            if (other !== group) cost += this.#pair(k, j) - this.#pair(i, j);
          });
          return { group, to, cost, gain: this.#logits[k] - this.#logits[i] };
        },
      )
    );
  }

  /** Places of the candidates of all changes, those chosen now and those they would choose. */
  places(moves: readonly Move[]): { from: Int32Array; to: Int32Array } {
    return {
      from: Int32Array.from(moves, ({ group }) => this.#at(group, this.choice[group])),
      to: Int32Array.from(moves, ({ group, to }) => this.#at(group, to)),
    };
  }

  take(moves: readonly Move[]): void {
    for (const { group, to } of moves) this.choice[group] = to;
    this.cost = costOfChoice(this.#form, this.choice);
  }
}

interface Move {
  readonly group: number;
  readonly to: number;
  /** The change of the cost. */
  readonly cost: number;
  /** The change of the logarithm of the likelihood. */
  readonly gain: number;
}

/**
 * The best of single changes and of pairs of them; undefined when nothing is better. A score is at
 * most the gain.
 */
function bestChange(
  walk: Walk,
  pairs: Float64Array,
  score: (cost: number, gain: number) => number,
): readonly Move[] | undefined {
  const moves = walk.moves();
  const { from, to } = walk.places(moves);
  const n = Math.sqrt(pairs.length);
  const costs = Float64Array.from(moves, ({ cost }) => cost);
  const gains = Float64Array.from(moves, ({ gain }) => gain);
  const most = Math.max(...gains);
  let best: readonly number[] | undefined;
  let high = score(walk.cost, 0) + 1e-9;
  for (let a = 0; a < moves.length; a++) {
    const cost = walk.cost + costs[a];
    const alone = score(cost, gains[a]);
    if (alone > high) [best, high] = [[a], alone];
    if (gains[a] + most <= high) continue;
    const [before, after] = [from[a] * n, to[a] * n];
    for (let b = a + 1; b < moves.length; b++) {
      if (from[b] === from[a] || gains[a] + gains[b] <= high) continue;
      // The cost of both changes beyond the sum of each.
      const cross = pairs[after + to[b]] - pairs[after + from[b]] - pairs[before + to[b]] +
        pairs[before + from[b]];
      const found = score(cost + costs[b] + cross, gains[a] + gains[b]);
      if (found > high) [best, high] = [[a, b], found];
    }
  }
  return best?.map((i) => moves[i]);
}

/** A change must not cost more likelihood than a lesser distance from the budget is worth. */
const DISTANCE_WEIGHT = 1e6;

/** Prices of the cost in likelihood that searches start from: both signs, and how often doubled. */
const PRICES = [-1, 1].flatMap((sign) => Array.from({ length: 13 }, (_, k) => sign * 2 ** (k - 6)));

/** The most likely choice, and the most likely ones where cost has a price or a reward. */
function starts(form: WidthCost, logits: readonly number[], candidates: number): Choice[] {
  const { singles, pairs } = form;
  const n = singles.length;
  // What each candidate adds to the cost where all others are even.
  const added = Array.from(singles, (single, i) => {
    let sum = 0;
    for (let j = 0; j < n; j++) sum += pairs[i * n + j] + pairs[j * n + i];
    return single + sum / candidates;
  });
  const range = (values: readonly number[]): number => Math.max(...values) - Math.min(...values);
  const unit = (range(logits) || 1) / (range(added) || 1);
  const found = [0, ...PRICES].map((price) => {
    const priced = logits.map((logit, i) => logit - price * unit * added[i]);
    return Array.from({ length: n / candidates }, (_, g) => {
      const row = priced.slice(g * candidates, (g + 1) * candidates);
      return row.indexOf(Math.max(...row));
    });
  });
  return [...new Map(found.map((choice) => [String(choice), choice])).values()];
}

/**
 * The most likely choice that costs the budget, up to `tolerance`, by local search from the most
 * likely choice of all and from others; the nearest to the budget where none costs it. Logits are
 * `[groups, candidates]`.
 */
export function chooseWidths(
  form: WidthCost,
  logits: ArrayLike<number>,
  { budget, tolerance, candidates }: { budget: number; tolerance: number; candidates: number },
): Choice {
  const score = (cost: number, gain: number): number =>
    gain - DISTANCE_WEIGHT * Math.max(0, Math.abs(cost - budget) - tolerance);
  const pairs = bothWays(form);
  let best: Choice = [];
  let high = -Infinity;
  for (const start of starts(form, Array.from(logits), candidates)) {
    const walk = new Walk(form, pairs, { logits, choice: start });
    for (;;) {
      const change = bestChange(walk, pairs, score);
      if (!change) break;
      walk.take(change);
    }
    const found = score(
      walk.cost,
      walk.choice.reduce((sum, k, g) => sum + logits[g * candidates + k], 0),
    );
    if (found > high) [best, high] = [walk.choice, found];
  }
  return best;
}
