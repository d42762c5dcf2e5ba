import { messageOf } from "../../data/message_of.ts";
import type { TrainResult } from "../../train/train.ts";
import { writeWhole } from "../run/whole_file.ts";
import type { KeptReport } from "./kept_report.ts";

/** What a run has come to, with what its report shows besides. */
export type ReportedResult = TrainResult & { readonly kept?: KeptReport };

/**
 * A result with what its report shows besides, which has to be asked for while validation images can
 * be read; a run without it is still a good one.
 */
export async function withKept(
  result: TrainResult,
  { note }: { readonly note: (text: string) => void },
): Promise<ReportedResult> {
  try {
    const { keepReport } = await import("./keep_report.ts");
    return { ...result, kept: await keepReport(result, { command: Deno.args, note }) };
  } catch (error) {
    note(`Cannot keep report.json: ${messageOf(error)}`);
    return result;
  }
}

/** The files that a run keeps for its report, by name. */
export function keptFiles({ kept }: ReportedResult): [string, string][] {
  return kept ? [["report.json", JSON.stringify(kept) + "\n"]] : [];
}

/**
 * Writes report.html into the folder of a run or of a comparison that has ended or was stopped, with
 * others beside it: where the run is to replace another, into the folder below. Where it cannot, it
 * says so and all else stays as it is. Gives the name of what it has written.
 */
export async function writeReport(
  folder: string,
  { beside, note }: {
    /** Folders of other runs. */
    readonly beside: readonly string[];
    readonly note: (text: string) => void;
  },
): Promise<string[]> {
  try {
    const { reportOf } = await import("./report_of.ts");
    const { html, data } = await reportOf(folder, { beside, hashes: true, ended: true });
    await writeWhole(`${data.folder}/report.html`, new TextEncoder().encode(html));
    return ["report.html"];
  } catch (error) {
    note(`Cannot write report.html: ${messageOf(error)}`);
    return [];
  }
}
