import { compare, type Comparison } from "./compare.ts";
import { comparisonTable, summaries } from "./compare_table.ts";
import { onInterrupt } from "./interrupt.ts";
import type { CompareRequest } from "./options.ts";
import { ProgressLine } from "./progress.ts";
import { chooseFolder } from "./run_folder.ts";
import { type Output, picture, terminalWidth } from "./session.ts";
import { percent } from "./text.ts";
import { writeWhole } from "./whole_file.ts";

/**
 * Compares methods, with progress on the console. What there is after each method is in
 * compare.json of the run folder; at the end compare.svg lies beside it.
 */
export async function compareInFolder(
  request: CompareRequest,
  { print, printError }: Output,
): Promise<void> {
  const folder = await chooseFolder(request.options.output, request);
  const { find, seeds, quiet } = request;
  const line = new ProgressLine({
    write: print,
    terminal: Deno.stdout.isTerminal(),
    width: terminalWidth,
    now: () => performance.now(),
    quiet,
    brief: true,
  });
  const save = async (name: string, text: string): Promise<void> => {
    await Deno.mkdir(folder, { recursive: true });
    await writeWhole(`${folder}/${name}`, new TextEncoder().encode(text));
  };
  let results = 0;
  const saved = async (comparison: Comparison): Promise<void> => {
    const all = { ...comparison, summary: summaries(comparison) };
    await save("compare.json", JSON.stringify(all, null, 2) + "\n");
    results = comparison.outcomes.length;
    const last = comparison.outcomes.at(-1);
    if (!last) return;
    line.end();
    if (!quiet) print(`seed ${last.seed}  ${percent(last.top1).padStart(7)}  ${last.method}\n`);
  };
  const kept = (): string =>
    results === 0
      ? "nothing was written"
      : `${folder} keeps compare.json with ${results} result${results === 1 ? "" : "s"}`;
  const stopListening = onInterrupt(line, { kept, printError });
  try {
    const comparison = await compare(request.options, { find, seeds, reporter: line, saved });
    line.end();
    print(`${quiet ? "" : "\n"}${comparisonTable(comparison)}`);
    const drawn = await picture("compare.svg", async () => {
      const { drawComparison } = await import("./compare_picture.ts");
      return await drawComparison(comparison);
    }, (text) => print(`${text}\n`));
    for (const [name, content] of drawn) await save(name, content);
    print(`compare.json, compare.svg in ${folder}\n`);
  } finally {
    line.end();
    stopListening();
  }
}
