import { budgetName, percent } from "../../data/words.ts";
import type { Drawing } from "../report/picture_document.ts";
import type { EpochMetrics } from "../../train/types.ts";
import { coloursOf } from "./colours.ts";
import { digits, lineOf } from "./curves_section.ts";
import { lineFigure } from "./figure.ts";
import type { Line } from "./line_chart.ts";
import { markup, type Piece, section } from "./markup.ts";
import type { RunReport } from "./report_data.ts";

/** What a search of widths was told to keep within, of its options. */
function budgetOf(config: Readonly<Record<string, unknown>>): string {
  const budgets = [["budgetMacs", "macs"], ["budgetParams", "params"], [
    "budgetLatency",
    "latency",
  ]] as const;
  const found = budgets.find(([name]) => config[name] !== undefined && config[name] !== null);
  return found ? budgetName(found[1]) : "cost";
}

/** A search for one budget. */
interface Search {
  /** The small network that is trained with its widths; nothing where it is the only one. */
  readonly name: string;
  readonly colour: string;
  readonly budget: number;
  readonly epochs: readonly EpochMetrics[];
  /** What the widths cost, over the base network's: those found, or those expected so far. */
  readonly cost: number;
  readonly isFound: boolean;
}

/** The searches for several budgets follow each other, and each counts its epochs from 1. */
function searchesIn({ history, networks, found }: RunReport): Search[] {
  const searches: EpochMetrics[][] = [];
  for (const metrics of history.filter(({ search }) => search)) {
    if (metrics.epoch > (searches.at(-1)?.at(-1)?.epoch ?? Infinity)) {
      searches.at(-1)?.push(metrics);
    } else searches.push([metrics]);
  }
  const colour = coloursOf(networks.map(({ name }) => name));
  return searches.flatMap((epochs): Search[] => {
    const last = epochs.at(-1)?.search;
    if (!last) return [];
    const { budget, expected } = last;
    const own = `small-${budget}`;
    const isOne = searches.length === 1 && found[own] === undefined;
    const cost = found[isOne ? "small" : own];
    return [{
      ...{ name: isOne ? "" : own, colour: colour(isOne ? "small" : own), budget, epochs },
      ...{ cost: cost ?? expected, isFound: cost !== undefined },
    }];
  });
}

/** What a search has come to, in a sentence. */
function cameTo({ name, budget, cost, isFound }: Search, limited: string): string {
  return `The widths ${isFound ? "found" : "expected"}${name && ` for ${name}`} come to ` +
    `${percent(cost)} of the base network's ${limited}; the budget is ${percent(budget)}.`;
}

/** How searches of widths went: what the small network would cost, and how decided it is. */
export function searchSection(report: RunReport, drawing: Drawing): Piece {
  const searches = searchesIn(report);
  if (searches.length === 0) return undefined;
  const epochs = searches.flatMap((search) => search.epochs);
  const all = { epochs: Math.max(...epochs.map((m) => m.epochs ?? m.epoch)), zero: true };
  const cost = budgetOf(report.config);
  const part = (value: number): string => percent(value / 100);
  const lines = (value: (metrics: EpochMetrics) => number | undefined): Line[] =>
    searches.map(({ name, colour, epochs }) => lineOf(epochs, value, { name, colour }));
  return section(
    "search",
    "Search",
    searches.map((search) => markup`<p>${cameTo(search, cost)}</p>`),
    markup`<div class="charts three">${[
      lineFigure(drawing, {
        ...all,
        title: `Expected ${cost}, % of the base network's; dotted: the budget`,
        label:
          `Expected ${cost} of the small network after each epoch of the search, and its budget`,
        words: part,
        levels: searches.map(({ budget }) => 100 * budget),
        lines: lines(({ search }) => search && 100 * search.expected),
      }, "little"),
      lineFigure(drawing, {
        ...all,
        title: "Entropy of the choice; 0 when all is decided",
        label: "Mean entropy of the choice of widths after each epoch of the search",
        words: digits,
        lines: lines(({ search }) => search?.entropy),
      }, "little"),
      lineFigure(drawing, {
        ...all,
        title: "Training loss of the search",
        label: "The training loss in each epoch of the search",
        words: digits,
        lines: lines(({ loss }) => loss ?? undefined),
      }, "little"),
    ]}</div>`,
  );
}
