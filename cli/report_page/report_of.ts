import { openDrawing } from "../report/picture_document.ts";
import { reportPage } from "./page.ts";
import { type ReadOptions, readReport } from "./read_report.ts";
import type { ReportData } from "./report_data.ts";

/**
 * The report of the run or of the comparison in a folder, as it is now, and what it shows. Raises a
 * `DataError` for a folder without any.
 */
export async function reportOf(
  folder: string,
  options: ReadOptions = {},
): Promise<{ readonly html: string; readonly data: ReportData }> {
  const data = await readReport(folder, options);
  return { html: reportPage(data, await openDrawing()), data };
}
