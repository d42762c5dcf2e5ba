import type { Mutant } from "./mutant.ts";

/** What is told while a run goes on, and drawn at its end. */
export const REPORTS: readonly Mutant[] = [
  {
    name: "the verification counts for nothing in the time left",
    file: "train/workloads.ts",
    find: "images: validation.length,",
    replace: "images: 0,",
    test: { file: "tests/estimate_test.ts", name: "the work of a run is that of its networks" },
  },
  {
    name: "an evaluation tells nobody how far it is",
    file: "train/kernel_session.ts",
    find: "scores(batches, work, predicting)",
    replace: "scores(batches, undefined, predicting)",
    test: {
      file: "tests/work_reported_test.ts",
      name: "a run, export and eval tell how far they are",
    },
  },
  {
    name: "a point of the comparison is moved",
    file: "cli/report/compare_picture.ts",
    find: "macs: macs / 1e6",
    replace: "macs: (macs + i * 2e5) / 1e6",
    test: {
      file: "tests/pictures_test.ts",
      name: "each method lies at its multiply-accumulates, however many have the same",
    },
  },
  {
    name: "a run that is stopped has no report",
    file: "cli/run/session.ts",
    find: "    if (folder.started && !rescued) {",
    replace: "    if (folder.started && rescued) {",
    test: { file: "tests/interrupt_test.ts", name: "an interrupted run says what goes on with it" },
  },
  {
    name: "an evaluation leaves the report as it was",
    file: "cli/report_page/refresh_report.ts",
    find: "    await writeWhole(`${folder}/report.json`, bytes);\n",
    replace: "    await Promise.resolve(bytes);\n",
    test: { file: "tests/train_test.ts", name: "train writes a run folder with two networks" },
  },
  {
    name: "curves of methods are those of the last seed",
    file: "cli/report_page/compared_curves.ts",
    find: "[...found.get(metrics.epoch) ?? [], one]",
    replace: "[one]",
    test: { file: "tests/report_page_test.ts", name: "a comparison has the curve of each method" },
  },
];
