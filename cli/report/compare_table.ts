import type { Comparison, Outcome } from "../../train/compare/comparison.ts";
import { type Row, rowsOf } from "../../train/compare/methods.ts";
import { median } from "../../data/median.ts";
import { validationWord } from "./header.ts";
import { budgetName, percent, plural } from "../../data/words.ts";
import { columns, grouped, scaled } from "../text.ts";

/** A network of a method over its seeds. */
export interface MethodSummary extends Row {
  readonly seeds: number;
  /** Mean accuracy, a fraction. */
  readonly mean: number;
  /** Standard deviation of the sample; a single seed has none. */
  readonly deviation?: number;
  /** Parameters, the classifier's included. Means over the seeds, as searched widths differ. */
  readonly params: number;
  readonly macs: number;
  /** Median over the seeds, in milliseconds. */
  readonly latency: number;
}

function mean(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
}

function summaryOf(row: Row, outcomes: readonly Outcome[]): MethodSummary {
  const top1 = outcomes.map((o) => o.top1);
  const middle = mean(top1);
  const squares = top1.reduce((sum, value) => sum + (value - middle) ** 2, 0);
  return {
    ...row,
    seeds: outcomes.length,
    mean: middle,
    ...outcomes.length > 1 ? { deviation: Math.sqrt(squares / (outcomes.length - 1)) } : {},
    params: mean(outcomes.map((o) => o.params)),
    macs: mean(outcomes.map((o) => o.macs)),
    latency: median(outcomes.map((o) => o.latency)),
  };
}

/** One summary for each row that has outcomes. */
export function summaries(
  { outcomes, methods }: Pick<Comparison, "outcomes" | "methods">,
): MethodSummary[] {
  return rowsOf(methods).flatMap((row) => {
    const { method, which } = row;
    const own = outcomes.filter((found) => found.method === method && found.which === which);
    return own.length ? [summaryOf(row, own)] : [];
  });
}

/** What the small networks cost beside the base network, in words; nothing where there are none. */
function costWords(
  { base, search: { budgeted } }: Comparison,
  found: readonly MethodSummary[],
): string[] {
  const shares = found.filter(({ which }) => which !== "base").map((row) =>
    row[budgeted] / base[budgeted]
  );
  if (shares.length === 0) return [];
  const [least, most] = [Math.min(...shares), Math.max(...shares)].map(percent);
  const range = least === most ? least : `${least} to ${most}`;
  return [`the small networks have ${range} of the base network's ${budgetName(budgeted)}`];
}

/** The table of all methods. */
export function comparisonTable(comparison: Comparison): string {
  const found = summaries(comparison);
  const { model, dataset, epochs, test, search: { budget, budgeted } } = comparison;
  const { adapter, runtime, methods, pruneBy } = comparison;
  const rows = found.map(({ text, mean, deviation, params, macs, latency }) => [
    text,
    percent(mean) + (deviation === undefined ? "" : ` ± ${(100 * deviation).toFixed(1)}`),
    grouped(Math.round(params)),
    scaled(macs),
    `${latency.toFixed(2)} ms`,
  ]);
  const seeds = Math.max(0, ...found.map((summary) => summary.seeds));
  return [
    `${model} on ${dataset}, ${plural(epochs, "epoch")}, ${plural(seeds, "seed")}, budget ` +
    `${percent(budget)} of the ${budgetName(budgeted)}, on ${adapter}`,
    "",
    ...columns([["", "top-1", "parameters", "MACs", "latency"], ...rows]),
    "",
    `top-1 on the ${validationWord(test)} images${
      seeds > 1 ? ", mean and standard deviation" : ""
    }; latency of one image in ${runtime}`,
    [
      ...costWords(comparison, found),
      ...methods.includes("pruned") ? [`filters are pruned by ${pruneBy}`] : [],
    ].join("; "),
  ].map((line) => `${line}\n`).join("");
}
