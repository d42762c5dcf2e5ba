import { gflop } from "./conv.ts";
import type { Task } from "./work.ts";

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
export function milliseconds(ms: number): string {
  return `${ms >= 100 ? ms.toFixed(0) : ms.toPrecision(3)} ms`;
}

/** How fast something is: FLOP/s of a convolution, images per second of a step. */
export function speed(task: Task, ms: number): string {
  if (task.kind === "step") {
    const each = task.batch / ms * 1000;
    return `${each < 1000 ? each.toPrecision(3) : each.toFixed(0)} images/s`;
  }
  const gflops = gflop({ ...task, stride: 1, padding: task.kernel >> 1 }) / ms * 1000;
  return gflops < 1000
    ? `${gflops.toPrecision(3)} GFLOP/s`
    : `${(gflops / 1000).toPrecision(3)} TFLOP/s`;
}
