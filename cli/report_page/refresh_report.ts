import { isRecord } from "../../data/json.ts";
import { messageOf } from "../../data/message_of.ts";
import { percent } from "../../data/words.ts";
import { networkWords } from "../../nn/which.ts";
import type { Seen } from "../evaluate.ts";
import { isHeld } from "../run/held_file.ts";
import { writeWhole } from "../run/whole_file.ts";
import { keepReport } from "./keep_report.ts";
import { jsonIn, keptIn } from "./run_files.ts";
import { writeReport } from "./write_report.ts";

/** How far accuracies may be apart on the same images, as another adapter rounds differently. */
const APART = 0.005;

/** A network that does not do what it did at the end of the run, in words; nothing where all do. */
function otherwise(
  seen: readonly Seen[],
  summary: Readonly<Record<string, unknown>>,
): string | undefined {
  for (const { report: { which, top1 } } of seen) {
    const then = summary[which];
    const before = isRecord(then) ? then.top1 : undefined;
    if (typeof before !== "number") return `summary.json does not have the ${networkWords(which)}`;
    if (Math.abs(before - top1) <= APART) continue;
    return `the ${networkWords(which)} has ${percent(top1)} on these images, and had ` +
      `${percent(before)} at the end of the run`;
  }
}

/**
 * Makes report.json of a run anew from what all its networks say of its validation images now, and
 * with it report.html; how the run was made stays as it is told there. Not while the run goes on, nor
 * where they do otherwise than at its end. `note` is told why not.
 */
export async function refreshReport(
  folder: string,
  seen: readonly Seen[],
  { note }: { readonly note: (text: string) => void },
): Promise<void> {
  const summary = await jsonIn(folder, "summary.json");
  const [first] = seen;
  if (!summary || !first || isHeld(`${folder}/config.json`)) return;
  const why = otherwise(seen, summary);
  if (why) return note(`report.html stays as it is: ${why}`);
  const measured = {
    predictions: Object.fromEntries(
      seen.map(({ report, predictions }) => [report.which, predictions] as const),
    ),
    validation: first.dataset,
    classes: first.dataset.classes,
  };
  try {
    const { command = [], versions = {} } = await keptIn(folder) ?? {};
    const kept = { ...await keepReport(measured, { command, note }), versions };
    const bytes = new TextEncoder().encode(JSON.stringify(kept) + "\n");
    await writeWhole(`${folder}/report.json`, bytes);
  } catch (error) {
    return note(`Cannot keep report.json: ${messageOf(error)}`);
  }
  const { beside } = await jsonIn(folder, "config.json") ?? {};
  await writeReport(folder, {
    beside: typeof beside === "string" ? beside.split(",") : [],
    note,
  });
}
