import { cacheAccess, type Context } from "./context.ts";
import { runWorker } from "./child.ts";
import { flagsOf, PRECISIONS, wordOf } from "./precisions.ts";
import type { Profiled } from "./results.ts";

/** The part of a step's time that a profile attributes to kernels, in the text of `bench step`. */
export function attributedIn(text: string): number | undefined {
  const [, percent] = /^attributed ([\d.]+) %/m.exec(text) ?? [];
  return percent === undefined ? undefined : Number(percent) / 100;
}

/** Looks into steps, the fastest precision first, and keeps the table of each. */
export async function profileSteps(context: Context): Promise<void> {
  const { plan, folder, left, results, add, tell } = context;
  const { env, grants } = cacheAccess(context);
  for (const { name: step, words } of plan.profiles) {
    for (const precision of PRECISIONS.toReversed()) {
      const name = `${step}, ${precision.name}`;
      const { text, failure } = await runWorker("step", [...words, ...flagsOf(precision)], {
        ...{ limit: left(), more: grants, env },
      });
      const file = `profile-${step}-${wordOf(precision)}.txt`;
      await Deno.writeTextFile(`${folder}/${file}`, text);
      const found: Profiled = { name, file, attributed: attributedIn(text), note: failure };
      await add({ profiles: [...results().profiles, found] });
      tell(`profile, ${name}: ${failure ?? file}`);
    }
  }
}
