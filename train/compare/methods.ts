import { entriesOf, type Which } from "../../nn/which.ts";
import { adjoined } from "./adjoined.ts";
import { adjoinedBest } from "./adjoined_best.ts";
import { alone } from "./alone.ts";
import { base } from "./base.ts";
import { distilled } from "./distilled.ts";
import type { Method } from "./method.ts";
import { pruned } from "./pruned.ts";
import { searched } from "./searched.ts";

/** All methods, in the order in which they are tried. */
export const METHODS: readonly Method[] = [
  base,
  alone,
  distilled,
  pruned,
  adjoined,
  adjoinedBest,
  searched,
];

/** The names of all methods. */
export const METHOD_NAMES: readonly string[] = METHODS.map(({ name }) => name);

/** A line of a table: a network of a method. */
export interface Row {
  /** The method's name. */
  readonly method: string;
  readonly which: Which;
  readonly text: string;
}

/** The rows of some methods, those of base networks first. */
export function rowsOf(methods: readonly string[] = METHOD_NAMES): Row[] {
  const rows = METHODS.filter(({ name }) => methods.includes(name)).flatMap(({ name, rows }) =>
    entriesOf(rows).map(([which, text]) => ({ method: name, which, text }))
  );
  const isBase = ({ which }: Row): number => which === "base" ? 0 : 1;
  return rows.toSorted((a, b) => isBase(a) - isBase(b));
}

/** Methods by name in their order, with those that they need. */
export function withNeeds(names: readonly string[]): Method[] {
  const wanted = new Set<Method>();
  const add = (method: Method): void => {
    for (const needed of method.needs ?? []) add(needed);
    wanted.add(method);
  };
  METHODS.filter(({ name }) => names.includes(name)).forEach(add);
  return METHODS.filter((method) => wanted.has(method));
}

/** The folder of a method with a seed, which is also the name of its training in states. */
export function folderOf(name: string, seed: number): string {
  return `${name}-${seed}`;
}

/** The method and the seed that a state of a comparison is of; nothing for any other. */
export function placeOf(phase: string): { method: Method; seed: number } | undefined {
  const [, of, seed] = phase.match(/^(.+)-(\d+)$/) ?? [];
  if (of === undefined) return undefined;
  const method = METHODS.find(({ name, before }) => name === of || before?.name === of);
  return method && { method, seed: Number(seed) };
}
