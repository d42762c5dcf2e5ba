import { EXIT } from "../exit.ts";
import { searchRequest } from "../options.ts";
import { processorTime } from "../processor_time.ts";
import { outputOf } from "../print.ts";
import { nothingLeft, readRequest } from "../resuming.ts";
import { withKept } from "../report_page/write_report.ts";
import { inRunFolder, saveWidths } from "../run/session.ts";
import { useWebgpu } from "../webgpu/use_webgpu.ts";
import { withoutTraining } from "./without_training.ts";

/** Searches widths within a budget, and trains with them. */
export async function run(args: readonly string[]): Promise<number> {
  const { find, fromScratch, widthsOnly, ...request } = await readRequest(
    "search",
    args,
    searchRequest,
  );
  await useWebgpu(request.webgpu);
  const answered = await withoutTraining(request, {
    plan: async () => {
      const { dryRunOfSearch } = await import("../report/dry_run.ts");
      return await dryRunOfSearch({ ...request, find, widthsOnly });
    },
    nothingLeft: () => nothingLeft(request),
  });
  if (answered) return EXIT.ok;
  await inRunFolder(request, outputOf(request), {
    kind: "search",
    run: async (options, reporter, folder, course) => {
      const { search } = await import("../../train/search.ts");
      const { openSearch } = await import("../run/open_run.ts");
      const { openRunPictures } = await import("../run/run_pictures.ts");
      using pictures = await openRunPictures(options, reporter.note);
      const opened = await openSearch(options, find, {
        openPictures: pictures.open,
        from: course.from,
        reporter,
      });
      const { trained } = await search(opened, {
        options,
        fromScratch,
        train: !widthsOnly,
        found: (found, which) => saveWidths(folder, found, { which, reporter }),
        course,
      }, reporter);
      if (!trained) return trained;
      if (find.budgeted !== "latency") return await withKept(trained, reporter);
      const { withLatencies } = await import("../../train/latencies_of_run.ts");
      const measuring = { split: opened.job.split, now: processorTime, reporter };
      return await withKept(await withLatencies(trained, measuring), reporter);
    },
  });
  return EXIT.ok;
}
