import type { Device } from "../gpu/device.ts";
import type { Trace } from "../program/trace.ts";
import { tileChoices } from "./choices.ts";
import type { Work } from "./work.ts";

/** One of the ways to run an algorithm: with a tile, a register block, a number of splits. */
export interface Variant {
  /** The name in choices and errors, unique among the algorithms for a work. */
  readonly name: string;
}

/**
 * An algorithm for a convolution or one of its gradients. `V` is the type of its
 * variants, `O` that of its operands, `R` that of what recording returns.
 */
export interface AlgorithmEntry<V extends Variant, O, R> {
  /** The name in errors. */
  readonly name: string;
  /** Whether its variants are timed where tiles are tuned. */
  readonly timed: boolean;
  /** Whether it may be taken by its estimate alone, without a measurement. */
  readonly guessed: boolean;
  /** Whether it can do a work on a device. */
  applies(gpu: Device, work: Work): boolean;
  /** The variants for a work that it applies to. */
  variants(gpu: Device, work: Work): readonly V[];
  /** The time that a variant takes, in a unit of the algorithm's own. */
  estimate(gpu: Device, work: Work, variant: V): number;
  /** Variants to be timed beside one of the best two, such as other numbers of splits. */
  alternatives?(gpu: Device, work: Work, variant: V): readonly V[];
  /** Records the kernels of a variant. */
  record(trace: Trace, operands: O, variant: V): R;
}

/** A variant of an algorithm, ready to be recorded. */
export interface Plan<O, R> extends Variant {
  /** The algorithm. */
  readonly algorithm: string;
  /** Records its kernels. */
  record(trace: Trace, operands: O): R;
}

/** An algorithm as an entry of a list. */
export interface Algorithm<O, R> extends Pick<AlgorithmEntry<Variant, O, R>, "name"> {
  /** Whether its plans are timed where tiles are tuned. */
  readonly timed: boolean;
  /** Whether it may be taken by its estimate alone, without a measurement. */
  readonly guessed: boolean;
  /**
   * Plans for a work, of the `most` variants with the least estimated time, the best first; none
   * where the algorithm does not apply.
   */
  plans(gpu: Device, work: Work, most: number): readonly Plan<O, R>[];
}

/** The best variants whose alternatives are plans, too. */
const WITH_ALTERNATIVES = 2;

/** Makes an algorithm an entry of a list of algorithms that have other variants. */
export function defineAlgorithm<V extends Variant, O, R>(
  entry: AlgorithmEntry<V, O, R>,
): Algorithm<O, R> {
  const { name, timed, guessed } = entry;
  const planOf = (variant: V): Plan<O, R> => ({
    name: variant.name,
    algorithm: name,
    record: (trace, operands) => entry.record(trace, operands, variant),
  });
  const plans = (gpu: Device, work: Work, most: number): Plan<O, R>[] => {
    if (!entry.applies(gpu, work)) return [];
    return entry.variants(gpu, work)
      .map((variant) => ({ variant, time: entry.estimate(gpu, work, variant) }))
      .sort((a, b) => a.time - b.time)
      .slice(0, most)
      .flatMap(({ variant }, i) => {
        const others = i < WITH_ALTERNATIVES ? entry.alternatives?.(gpu, work, variant) : [];
        return [variant, ...others ?? []].map(planOf);
      });
  };
  return { name, timed, guessed, plans };
}

/** The plans to time for a work, of the `most` best variants of each algorithm that is timed. */
export function timedPlans<O, R>(
  algorithms: readonly Algorithm<O, R>[],
  gpu: Device,
  work: Work,
  most = Infinity,
): Plan<O, R>[] {
  return algorithms.filter(({ timed }) => timed)
    .flatMap((algorithm) => algorithm.plans(gpu, work, most));
}

/**
 * The plan for a work: the choice that tuning made, else the best estimate of the first algorithm
 * in the list that applies.
 */
export function choosePlan<O, R>(
  algorithms: readonly Algorithm<O, R>[],
  gpu: Device,
  work: Work,
): Plan<O, R> {
  const timed = timedPlans(algorithms, gpu, work);
  if (timed.length) {
    const name = tileChoices.of(gpu).get(work, timed.map((plan) => plan.name));
    const plan = timed.find((plan) => plan.name === name);
    if (plan) return plan;
  }
  for (const algorithm of algorithms) {
    const [best] = algorithm.guessed ? algorithm.plans(gpu, work, 1) : [];
    if (best) return best;
  }
  const names = algorithms.map(({ name }) => name).join(", ");
  throw new TypeError(`Cannot record a convolution, ${work.direction}: none of ${names} applies`);
}
