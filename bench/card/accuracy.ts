import { DataError } from "../../data/error.ts";
import { isRecord, parseJson } from "../../data/json.ts";
import { messageOf } from "../../data/message_of.ts";
import { cacheAccess, type Context } from "./context.ts";
import { runWorker } from "./child.ts";
import { flagsOf, type Precision, PRECISIONS } from "./precisions.ts";
import type { Accuracy } from "./results.ts";

/** Top-1 by network in what a training printed. Raises a `DataError` where there is none. */
export function top1Of(printed: string): Record<string, number> {
  const found = parseJson(printed);
  const networks = isRecord(found) ? Object.entries(found) : [];
  const numbers = networks.flatMap(([network, top1]) =>
    typeof top1 === "number" ? [[network, top1] as const] : []
  );
  if (numbers.length) return Object.fromEntries(numbers);
  throw new DataError(`Cannot read accuracies: wanted numbers by network, found ${printed}`);
}

/** An accuracy with what one more seed came to. */
export function withSeed(
  accuracy: Accuracy,
  top1: Readonly<Record<string, number>>,
): Accuracy {
  const added = Object.entries(top1).map(([network, value]) =>
    [network, [...accuracy.top1[network] ?? [], value]] as const
  );
  return { ...accuracy, top1: { ...accuracy.top1, ...Object.fromEntries(added) } };
}

/** Trains once; gives what it came to, or why it did not. */
async function trainOnce(
  context: Context,
  precision: Precision,
  seed: number,
): Promise<Record<string, number> | string> {
  const { left, plan } = context;
  const words = [...plan.training, "--seed", `${seed}`, ...flagsOf(precision)];
  const { env } = cacheAccess(context);
  const { out, failure } = await runWorker("train", words, { limit: left(), env });
  if (failure) return `seed ${seed}: ${failure}`;
  try {
    return top1Of(out);
  } catch (error) {
    return `seed ${seed}: ${messageOf(error)}`;
  }
}

/** Trains with all seeds, each in all precisions before the next. */
export async function compareAccuracies(context: Context): Promise<void> {
  const { plan: { seeds }, add, tell } = context;
  let all = PRECISIONS.map(({ name }): Accuracy => ({ name, top1: {} }));
  for (const seed of seeds) {
    for (const precision of PRECISIONS) {
      const before = all.find(({ name }) => name === precision.name);
      // One that has failed would fail again, and its time is better spent.
      if (!before || before.note) continue;
      const found = await trainOnce(context, precision, seed);
      const after = typeof found === "string"
        ? { ...before, note: found }
        : withSeed(before, found);
      all = all.map((accuracy) => accuracy === before ? after : accuracy);
      await add({ accuracies: all });
      const told = typeof found === "string"
        ? found
        : Object.entries(found).map(([network, top1]) => `${network} ${(100 * top1).toFixed(1)} %`);
      tell(`training, ${precision.name}, seed ${seed}: ${[told].flat().join(", ")}`);
    }
  }
}
