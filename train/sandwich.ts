import { Random } from "../data/random.ts";
import { elements } from "../kernels/gpu/tensor.ts";
import type { Adjoined } from "../nn/compress/adjoin.ts";
import { networkSpecs } from "../nn/state.ts";
import type { SmallName } from "../nn/which.ts";

function parametersIn({ small }: Adjoined): number {
  return networkSpecs(small).parameters.reduce((sum, { shape }) => sum + elements(shape), 0);
}

/**
 * The small networks that a step may train by the sandwich rule (Yu and Huang 2019, arXiv 1903.05134):
 * of several, the smallest and some others, `count` in all; the base network, the largest, is always
 * among those that are trained. Each list is in the order of the pairs, those with the most work
 * first. All of them, where `count` is left out.
 */
export function sandwiches(pairs: readonly Adjoined[], count = pairs.length): SmallName[][] {
  const sizes = pairs.map(parametersIn);
  const smallest = sizes.indexOf(Math.min(...sizes));
  const others = pairs.map((_, i) => i).filter((i) => i !== smallest);
  const lists = subsets(others, count - 1).map((some) =>
    [...some, smallest].toSorted((a, b) => a - b)
  );
  const work = (list: readonly number[]): number => list.reduce((sum, i) => sum + sizes[i], 0);
  return lists.toSorted((a, b) => work(b) - work(a)).map((list) => list.map((i) => pairs[i].which));
}

/** All ways to take so many of a list. */
function subsets(list: readonly number[], count: number): number[][] {
  if (count === 0) return [[]];
  return list.flatMap((first, i) =>
    subsets(list.slice(i + 1), count - 1).map((rest) => [first, ...rest])
  );
}

/** Which of so many sandwiches a step trains: by seed, epoch and step alone, both counted from 0. */
export function sandwichOf(seed: number, epoch: number, step: number, among: number): number {
  return among === 1
    ? 0
    : new Random(seed, `sandwich of epoch ${epoch}, step ${step}`).integer(among);
}
