import { EXIT } from "../exit.ts";
import { trainRequest } from "../options.ts";
import { outputOf } from "../print.ts";
import { nothingLeft, readRequest } from "../resuming.ts";
import { withKept } from "../report_page/write_report.ts";
import { inRunFolder } from "../run/session.ts";
import { useWebgpu } from "../webgpu/use_webgpu.ts";
import { withoutTraining } from "./without_training.ts";

/** Trains a network and its compressed twin together. */
export async function run(args: readonly string[]): Promise<number> {
  const request = await readRequest("train", args, trainRequest);
  await useWebgpu(request.webgpu);
  const answered = await withoutTraining(request, {
    plan: async () => {
      const { dryRun } = await import("../report/dry_run.ts");
      return await dryRun(request.options);
    },
    nothingLeft: () => nothingLeft(request),
  });
  if (answered) return EXIT.ok;
  await inRunFolder(request, outputOf(request), {
    kind: request.options.mode,
    run: async (options, reporter, _, course) => {
      const { train } = await import("../../train/train.ts");
      const { openJob } = await import("../run/open_run.ts");
      const { openRunPictures } = await import("../run/run_pictures.ts");
      using pictures = await openRunPictures(options, reporter.note);
      const job = await openJob(options, pictures.open, course.from, reporter);
      return await withKept(await train(job, reporter, course), reporter);
    },
  });
  return EXIT.ok;
}
