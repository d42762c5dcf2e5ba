import { EXIT } from "../exit.ts";
import { compareRequest } from "../options.ts";
import { outputOf, print, printDone } from "../print.ts";
import { comparedAll, readRequest } from "../resuming.ts";

/** Compares methods of compressing at one budget. */
export async function run(args: readonly string[]): Promise<number> {
  const request = await readRequest("compare", args, compareRequest);
  if (request.dryRun) {
    const { dryRunOfComparison } = await import("../report/dry_run.ts");
    print(await dryRunOfComparison(request));
    return EXIT.ok;
  }
  const done = await comparedAll(request);
  if (done) {
    printDone(done, request);
    return EXIT.ok;
  }
  const { compareInFolder } = await import("../run/compare_session.ts");
  await compareInFolder(request, outputOf(request));
  return EXIT.ok;
}
