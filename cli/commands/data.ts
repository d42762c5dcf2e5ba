import { readArguments } from "../arguments.ts";
import { EXIT } from "../exit.ts";
import { print, printError, printJson } from "../print.ts";
import { showingWork } from "../run/working.ts";

/** Checks the pictures of a data set. */
export async function run(args: readonly string[]): Promise<number> {
  const { values: { json, quiet, ...options }, positionals: [folder] } = readArguments(
    "data",
    args,
  );
  const { checkData } = await import("../check/check_data.ts");
  const { stopOf } = await import("../check/data_report.ts");
  const { dataFaults, dataTable } = await import("../report/data_table.ts");
  const report = await showingWork(
    printError,
    { quiet },
    (reporter) => checkData({ folder, ...options }, reporter),
  );
  if (json) printJson(report);
  else print(quiet ? dataFaults(report) : dataTable(report));
  const stop = stopOf(report);
  if (stop) throw stop;
  return EXIT.ok;
}
