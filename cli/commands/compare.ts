import { EXIT } from "../exit.ts";
import { compareRequest } from "../options.ts";
import { outputOf } from "../print.ts";
import { comparedAll, readRequest } from "../resuming.ts";
import { useWebgpu } from "../webgpu/use_webgpu.ts";
import { withoutTraining } from "./without_training.ts";

/** Compares methods of compressing at one budget. */
export async function run(args: readonly string[]): Promise<number> {
  const request = await readRequest("compare", args, compareRequest);
  await useWebgpu(request.webgpu);
  const answered = await withoutTraining(request, {
    plan: async () => {
      const { dryRunOfComparison } = await import("../report/dry_run.ts");
      return await dryRunOfComparison(request);
    },
    nothingLeft: () => comparedAll(request),
  });
  if (answered) return EXIT.ok;
  const { compareInFolder } = await import("../run/compare_session.ts");
  await compareInFolder(request, outputOf(request));
  return EXIT.ok;
}
