import { type Comparison, type Method, METHODS, type Outcome } from "../../train/compared_runs.ts";
import { median } from "../../data/median.ts";
import { validationWord } from "./header.ts";
import { budgetName, percent, plural } from "../../data/words.ts";
import { columns, grouped, scaled } from "../text.ts";

/** A method over its seeds. */
export interface MethodSummary {
  readonly method: Method;
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

function summaryOf(method: Method, outcomes: readonly Outcome[]): MethodSummary {
  const top1 = outcomes.map((o) => o.top1);
  const middle = mean(top1);
  const squares = top1.reduce((sum, value) => sum + (value - middle) ** 2, 0);
  return {
    method,
    seeds: outcomes.length,
    mean: middle,
    ...outcomes.length > 1 ? { deviation: Math.sqrt(squares / (outcomes.length - 1)) } : {},
    params: mean(outcomes.map((o) => o.params)),
    macs: mean(outcomes.map((o) => o.macs)),
    latency: median(outcomes.map((o) => o.latency)),
  };
}

/** One summary for each method that has outcomes. */
export function summaries({ outcomes }: Comparison): MethodSummary[] {
  return METHODS.flatMap((method) => {
    const own = outcomes.filter((outcome) => outcome.method === method);
    return own.length ? [summaryOf(method, own)] : [];
  });
}

/** The table of all methods. */
export function comparisonTable(comparison: Comparison): string {
  const found = summaries(comparison);
  const { model, dataset, epochs, test, search: { budget, budgeted }, adapter, runtime } =
    comparison;
  const rows = found.map(({ method, mean, deviation, params, macs, latency }) => [
    method,
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
  ].map((line) => `${line}\n`).join("");
}
