import { print, printDone } from "../print.ts";

/**
 * Prints what answers a request without any training: the plan of a dry run, or that there is nothing
 * left to do. Gives whether something did.
 */
export async function withoutTraining(
  { dryRun, json }: { readonly dryRun: boolean; readonly json: boolean },
  { plan, nothingLeft }: {
    readonly plan: () => Promise<string>;
    readonly nothingLeft: () => Promise<string | undefined>;
  },
): Promise<boolean> {
  if (dryRun) {
    print(await plan());
    return true;
  }
  const done = await nothingLeft();
  if (done === undefined) return false;
  printDone(done, { json });
  return true;
}
