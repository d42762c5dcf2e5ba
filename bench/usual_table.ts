import { median } from "../data/median.ts";
import { markdownTable, milliseconds, speed } from "./cells.ts";
import { type Comparison, type Outcome, timeOf } from "./comparison.ts";
import type { Task } from "./work.ts";

type Measured = Pick<Comparison, "peers" | "rows">;

/**
 * Places of a comparison in the order of the tables: what others are compared with, what else people
 * run, and this project.
 */
function inOrder({ peers }: Measured, places: readonly number[]): number[] {
  const rank = (i: number): number => {
    const { kind, against } = peers[i].marks ?? {};
    return kind === "ours" ? 2 : against === undefined ? 1 : 0;
  };
  return places.toSorted((a, b) => rank(a) - rank(b));
}

/** A time with the speed of a convolution: that of a step says nothing that its time does not. */
function timed(task: Task, ms: number): string {
  const time = milliseconds(ms);
  return task.kind === "step" ? time : `${time}, ${speed(task, ms)}`;
}

/**
 * Times of what people run, and of this project with how many times as long as those it takes: `67.3 ms,
 * 2.40x TF32, 3.60x autocast`.
 */
export function againstUsual(compared: Measured, places: readonly number[]): string {
  const { peers, rows } = compared;
  const order = inOrder(compared, places);
  const cells = rows.map(({ task, outcomes }) => [
    task.name,
    ...order.map((i) => {
      const outcome = outcomes[i];
      if ("note" in outcome) return outcome.note;
      const ms = median(outcome.times);
      const ratios = peers[i].marks?.kind === "ours"
        ? order.flatMap((other) => {
          const against = peers[other].marks?.against;
          const theirs = timeOf(outcomes[other]);
          if (against === undefined || theirs === undefined) return [];
          return [`${(ms / theirs).toPrecision(3)}x ${against}`];
        })
        : [];
      const off = outcome.off ? [`result ${(outcome.off * 100).toPrecision(2)} % off`] : [];
      return [timed(task, ms), ...ratios, ...off].join(", ");
    }),
  ]);
  return markdownTable([["work", ...order.map((i) => peers[i].name)], ...cells]);
}

/** The memory of the device that steps took, where any column knows it; else nothing. */
export function memoryOf(compared: Measured, places: readonly number[]): string {
  const { peers, rows } = compared;
  const order = inOrder(compared, places);
  const bytesOf = (outcome: Outcome): number | undefined =>
    "note" in outcome ? undefined : outcome.bytes;
  const steps = rows.filter(({ task }) => task.kind === "step");
  if (!steps.some(({ outcomes }) => order.some((i) => bytesOf(outcomes[i])))) return "";
  const cells = steps.map(({ task, outcomes }) => [
    `memory of the ${task.name}`,
    ...order.map((i) => {
      const bytes = bytesOf(outcomes[i]);
      return bytes === undefined ? "" : `${(bytes / 2 ** 30).toPrecision(3)} GiB`;
    }),
  ]);
  return markdownTable([["work", ...order.map((i) => peers[i].name)], ...cells]);
}
