import { percent, plural } from "../data/words.ts";
import { RUNTIME } from "../export/onnx_runtime.ts";
import { adjoin } from "../nn/compress/adjoin.ts";
import { correctedCost } from "../nn/compress/latency_cost.ts";
import type { Search } from "../nn/compress/searchable.ts";
import type { Choice } from "../nn/compress/width_choice.ts";
import { costOfChoice, type WidthCost } from "../nn/compress/width_cost.ts";
import { chosenWidths } from "../nn/compress/width_groups.ts";
import type { Network } from "../nn/network.ts";
import { type Latencies, LatencyPair, type Measuring, typical } from "./latency_pair.ts";
import type { Reporter } from "./types.ts";

/** Choices that are measured, at most, and how near to the budget one is near enough, over it. */
const TRIES = 8;
const NEAR = 0.02;

/** From how far on a search says that none came near the budget, over it. */
const FAR = 0.1;

/** The choice of a search for a budget of latency, and what it was measured to take. */
export interface ChosenByLatency extends Latencies {
  readonly choice: Choice;
  /** How many choices were measured. */
  readonly tries: number;
}

/** A search, and the part of the base network's time that its network may take. */
interface Wanted {
  readonly search: Search;
  readonly cost: WidthCost;
  readonly budget: number;
}

/** How far a network is from a budget, over it. */
function offBy({ base, small }: Latencies, budget: number): number {
  return Math.abs(small / base / budget - 1);
}

/**
 * Chooses widths whose network takes a part of the base network's time: `measure` says what a choice
 * takes, the cost is corrected by what was found, and `choose` asked anew, until a choice is near
 * enough in two measurements together, or many have been tried. Gives the nearest one.
 */
export async function chooseByLatency(
  { search: { groups, adjoined: { base, trunk } }, cost, budget }: Wanted,
  { choose, measure }: {
    /** The most likely choice that meets the budget by a cost. */
    readonly choose: (cost: WidthCost) => Promise<Choice>;
    /** What the base network and a small one take, as often as they were measured. */
    readonly measure: (small: Network) => Promise<readonly Latencies[]>;
  },
): Promise<ChosenByLatency> {
  const masked = new Set(groups.groups.flatMap(({ convolutions }) => convolutions));
  const smallOf = (choice: Choice): Network =>
    adjoin(base, {
      ...{ compression: 1, trunk, widths: chosenWidths(base, groups, choice) },
      maskFrom: ({ name }) => masked.has(name),
    }).small;
  const tried: ChosenByLatency[] = [];
  for (let own = cost; tried.length < TRIES;) {
    const choice = await choose(own);
    const seen = tried.some((earlier) => String(earlier.choice) === String(choice));
    const network = smallOf(choice);
    const first = await measure(network);
    // A time that is near by chance is not so again.
    const isNear = offBy(typical(first), budget) <= NEAR;
    const found = typical(isNear ? [...first, ...await measure(network)] : first);
    tried.push({ choice, ...found, tries: tried.length + 1 });
    const [expected, measured] = [costOfChoice(cost, choice), found.small / found.base];
    // All costs are parts of the base network's: of itself there is nothing to correct.
    if (seen || offBy(found, budget) <= NEAR || expected > 1 - 1e-6 || measured >= 1) break;
    own = correctedCost(cost, { expected, measured });
  }
  const best = tried.reduce((a, b) => offBy(b, budget) < offBy(a, budget) ? b : a);
  return { ...best, tries: tried.length };
}

/**
 * Finds widths for a budget of latency as {@link chooseByLatency} does, measured in onnxruntime-web on
 * the first image of a split, and says what they were measured to take.
 */
export async function findByLatency(
  { split, now, ...wanted }: Wanted & Omit<Measuring, "reporter">,
  choose: (cost: WidthCost) => Promise<Choice>,
  reporter: Pick<Reporter, "work" | "note">,
): Promise<ChosenByLatency> {
  const { search: { adjoined: { base } }, budget } = wanted;
  const pair = await LatencyPair.open(base, { split, now, reporter });
  const found = await chooseByLatency(wanted, {
    choose,
    measure: (small) => pair.measure(small),
  });
  reporter.note(latencyWords(found, budget));
  const warning = farWords(found, budget);
  if (warning) reporter.note(warning);
  return found;
}

/** What is said of a choice that is not near the budget; nothing of one that is. */
export function farWords(found: ChosenByLatency, budget: number): string | undefined {
  if (offBy(found, budget) <= FAR) return;
  const { base, small, tries } = found;
  return `of ${plural(tries, "choice")} none came within ${100 * FAR} % of the budget of ` +
    `${percent(budget)}, the nearest takes ${percent(small / base)}: more divisors or a finer ` +
    `rounding give more to choose from`;
}

/** What a choice was measured to take, in words. */
function latencyWords({ base, small, tries }: ChosenByLatency, budget: number): string {
  return `found widths with ${percent(small / base)} of the base network's latency, ` +
    `${small.toFixed(2)} of ${
      base.toFixed(2)
    } ms for one image in onnxruntime-web ${RUNTIME}, one ` +
    `thread; the budget is ${percent(budget)}; ${plural(tries, "choice")} measured`;
}
