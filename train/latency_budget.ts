import { percent, plural } from "../data/words.ts";
import { RUNTIME } from "../export/onnx_runtime.ts";
import { adjoin } from "../nn/compress/adjoin.ts";
import { correctedCost } from "../nn/compress/latency_cost.ts";
import type { Search } from "../nn/compress/searchable.ts";
import type { Choice } from "../nn/compress/width_choice.ts";
import { costOfChoice, type WidthCost } from "../nn/compress/width_cost.ts";
import { chosenWidths } from "../nn/compress/width_groups.ts";
import type { Network } from "../nn/network.ts";
import { type Latencies, LatencyPair, type Measuring } from "./latency_pair.ts";
import type { Reporter } from "./types.ts";

/** Choices that are measured, at most, and how near to the budget one is near enough, over it. */
const TRIES = 8;
const NEAR = 0.03;

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

/**
 * Chooses widths whose network takes a part of the base network's time: `measure` says what a choice
 * takes, the cost is corrected by what was found, and `choose` asked anew, until a choice is near
 * enough when it is measured twice, or many have been tried. Gives the nearest one.
 */
export async function chooseByLatency(
  { search: { groups, adjoined: { base, trunk } }, cost, budget }: Wanted,
  { choose, measure }: {
    /** The most likely choice that meets the budget by a cost. */
    readonly choose: (cost: WidthCost) => Promise<Choice>;
    /** Milliseconds of the base network and of a small one. */
    readonly measure: (small: Network) => Promise<Latencies>;
  },
): Promise<ChosenByLatency> {
  const masked = new Set(groups.groups.flatMap(({ convolutions }) => convolutions));
  const smallOf = (choice: Choice): Network =>
    adjoin(base, {
      ...{ compression: 1, trunk, widths: chosenWidths(base, groups, choice) },
      maskFrom: ({ name }) => masked.has(name),
    }).small;
  const off = ({ base, small }: Latencies): number => Math.abs(small / base / budget - 1);
  const tried: ChosenByLatency[] = [];
  for (let own = cost; tried.length < TRIES;) {
    const choice = await choose(own);
    const seen = tried.some((earlier) => String(earlier.choice) === String(choice));
    const network = smallOf(choice);
    let found = await measure(network);
    // A time that is near by chance is not so again.
    if (off(found) <= NEAR) found = await measure(network);
    tried.push({ choice, ...found, tries: tried.length + 1 });
    const [expected, measured] = [costOfChoice(cost, choice), found.small / found.base];
    // All costs are parts of the base network's: of itself there is nothing to correct.
    if (seen || off(found) <= NEAR || expected > 1 - 1e-6 || measured >= 1) break;
    own = correctedCost(cost, { expected, measured });
  }
  const best = tried.reduce((a, b) => off(b) < off(a) ? b : a);
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
  try {
    const measure = (small: Network): Promise<Latencies> => pair.measure(small);
    const found = await chooseByLatency(wanted, { choose, measure });
    reporter.note(latencyWords(found, budget));
    return found;
  } finally {
    await pair.close();
  }
}

/** What a choice was measured to take, in words. */
function latencyWords({ base, small, tries }: ChosenByLatency, budget: number): string {
  return `found widths with ${percent(small / base)} of the base network's latency, ` +
    `${small.toFixed(2)} of ${
      base.toFixed(2)
    } ms for one image in onnxruntime-web ${RUNTIME}, one ` +
    `thread; the budget is ${percent(budget)}; ${plural(tries, "choice")} measured`;
}
