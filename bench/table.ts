import { gflop } from "./conv.ts";
import { median } from "../data/median.ts";
import type { Hello, Task } from "./work.ts";
import { UsageError } from "../train/errors.ts";

/** What came of one task with one peer: its times in milliseconds, or why there are none. */
export type Outcome =
  | {
    readonly times: readonly number[];
    /** How far its result is off, relative to its size, where that is worth saying. */
    readonly off?: number;
  }
  | { readonly note: string };

/** One task with all peers, this project first. */
export interface Row {
  readonly task: Task;
  readonly outcomes: readonly Outcome[];
}

/** What a comparison came to. */
export interface Comparison {
  /** This project first; one that is missing has the reason as its note. */
  readonly peers: readonly (Hello | { readonly name: string; readonly note: string })[];
  readonly rows: readonly Row[];
  readonly repeats: number;
  /** The command line after `bench peers`. */
  readonly flags: string;
}

/** Between which lines a comparison goes. */
const MARKS = {
  usual: ["<!-- peers: written by `deno task bench peers` -->", "<!-- /peers -->"],
  large: ["<!-- large: written by `deno task bench peers --large` -->", "<!-- /large -->"],
} as const;

/** Rows as a Markdown table whose columns line up; the first row is the heading. */
export function markdownTable(rows: readonly (readonly string[])[]): string {
  const cells = rows.map((row) => row.map((cell) => cell.replace(/\s+/g, " ").replace(/\|/g, "/")));
  const widths = cells[0].map((_, i) => Math.max(3, ...cells.map((row) => row[i].length)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, i) => cell.padEnd(widths[i])).join(" | ")} |`;
  const [head, ...body] = cells.map(line);
  return [head, line(widths.map((width) => "-".repeat(width))), ...body].join("\n");
}

/** Milliseconds in three digits: `0.532 ms`, `53.2 ms`, `5320 ms`. */
function milliseconds(ms: number): string {
  return `${ms >= 100 ? ms.toFixed(0) : ms.toPrecision(3)} ms`;
}

/** How fast this project is: FLOP/s of a convolution, images per second of a step. */
function speed(task: Task, ms: number): string {
  if (task.kind === "step") {
    const each = task.batch / ms * 1000;
    return `${each < 1000 ? each.toPrecision(3) : each.toFixed(0)} images/s`;
  }
  const gflops = gflop({ ...task, stride: 1, padding: task.kernel >> 1 }) / ms * 1000;
  return gflops < 1000
    ? `${gflops.toPrecision(3)} GFLOP/s`
    : `${(gflops / 1000).toPrecision(3)} TFLOP/s`;
}

/** The cells of a task: names, own time and speed, the others' times and how many times ours. */
export function cellsOf({ task, outcomes: [own, ...others] }: Row): string[] {
  if ("note" in own) return [task.name, own.note, ...others.map(() => "")];
  const ours = median(own.times);
  return [
    task.name,
    `${milliseconds(ours)}, ${speed(task, ours)}`,
    ...others.map((outcome) => {
      if ("note" in outcome) return outcome.note;
      const theirs = median(outcome.times);
      const off = outcome.off ? `, result ${(outcome.off * 100).toPrecision(2)} % off` : "";
      return `${milliseconds(theirs)}, ${(theirs / ours).toPrecision(3)}x${off}`;
    }),
  ];
}

/** The comparison as text for BENCHMARKS.md. */
export function comparisonText({ peers, rows, repeats, flags }: Comparison): string {
  const command = `deno task bench peers${flags ? ` ${flags}` : ""}`;
  const processors = globalThis.navigator.hardwareConcurrency;
  return [
    `\`${command}\`; Deno ${Deno.version.deno}, ${processors} processors; medians of ${repeats}.`,
    "",
    markdownTable([
      ["library", "version", "computes on"],
      ...peers.map((peer) =>
        "note" in peer
          ? [peer.name, "", `missing: ${peer.note}`]
          : [peer.name, peer.version, peer.device]
      ),
    ]),
    "",
    markdownTable([["work", ...peers.map(({ name }) => name)], ...rows.map(cellsOf)]),
  ].join("\n");
}

/** The file with the text between its marks replaced, those of large work or the usual ones. */
export function withComparison(file: string, text: string, large = false): string {
  const [first, last] = MARKS[large ? "large" : "usual"];
  const [begin, end] = [file.indexOf(first), file.indexOf(last)];
  if (begin < 0 || end < begin) {
    throw new UsageError(
      `Cannot write BENCHMARKS.md: wanted the lines ${first} and ${last}, found not both`,
    );
  }
  return `${file.slice(0, begin)}${first}\n\n${text}\n\n${file.slice(end)}`;
}
