import { budgetName, percent } from "../../data/words.ts";
import type { Drawing } from "../report/picture_document.ts";
import { digits, lineOf } from "./curves_section.ts";
import { lineFigure } from "./figure.ts";
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

/** How a search of widths went: what the small network would cost, and how decided it is. */
export function searchSection({ history, config }: RunReport, drawing: Drawing): Piece {
  const epochs = history.filter(({ search }) => search);
  const last = epochs.at(-1);
  if (!last?.search) return undefined;
  const all = { epochs: Math.max(...epochs.map((m) => m.epochs ?? m.epoch)), zero: true };
  const cost = budgetOf(config);
  const { expected, budget } = last.search;
  const part = (value: number): string => percent(value / 100);
  const own = { name: "", colour: "var(--small)" };
  return section(
    "search",
    "Search",
    markup`<p>${
      `The widths chosen come to ${
        percent(expected)
      } of the base network's ${cost}; the budget is ` +
      `${percent(budget)}.`
    }</p>`,
    markup`<div class="charts three">${[
      lineFigure(drawing, {
        ...all,
        title: `Expected ${cost}, % of the base network's; dotted: the budget`,
        label:
          `Expected ${cost} of the small network after each epoch of the search, and its budget`,
        words: part,
        level: 100 * budget,
        lines: [lineOf(epochs, ({ search }) => search && 100 * search.expected, own)],
      }, "little"),
      lineFigure(drawing, {
        ...all,
        title: "Entropy of the choice; 0 when all is decided",
        label: "Mean entropy of the choice of widths after each epoch of the search",
        words: digits,
        lines: [lineOf(epochs, ({ search }) => search?.entropy, own)],
      }, "little"),
      lineFigure(drawing, {
        ...all,
        title: "Training loss of the search",
        label: "The training loss in each epoch of the search",
        words: digits,
        lines: [lineOf(epochs, ({ loss }) => loss, { name: "", colour: "var(--text)" })],
      }, "little"),
    ]}</div>`,
  );
}
