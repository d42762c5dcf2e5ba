import { FLOAT32_TOO, ours, USUAL } from "../columns.ts";
import { compareTask, helloOf, type Seat, seated } from "../compare_task.ts";
import { timeOf } from "../comparison.ts";
import { milliseconds } from "../cells.ts";
import { grantsOf } from "../grants.ts";
import type { TaskPart } from "./plan.ts";
import { cacheAccess, type Context } from "./context.ts";
import { PRECISIONS } from "./precisions.ts";

/** Milliseconds for the first word of a process: libraries are loaded from a cold disk. */
const START = 90_000;

/** Milliseconds for one request: a process that hangs does not take the others' time. */
const LONGEST = 120_000;

/** Starts this project in all precisions, and PyTorch in those that people run. */
export async function seatedForCard(context: Context): Promise<Seat[]> {
  const { env, grants } = cacheAccess(context);
  const all = [...grantsOf("step"), ...grants];
  const own = PRECISIONS.map(({ precision, webgpu }) =>
    ours(precision, { webgpu, env, grants: all })
  );
  const limit = Math.min(START, Math.max(1, context.left()));
  // The first that is there says what results are right; what takes longest to be ready is last.
  const columns = [FLOAT32_TOO, ...USUAL, ...own];
  const seats = await Promise.all(columns.map((column) => seated(column, limit)));
  await context.add({ peers: seats.map((seat) => ({ ...helloOf(seat), marks: seat.marks })) });
  for (const { name, note } of seats) if (note) context.tell(`${name}: missing: ${note}`);
  return seats;
}

/** Times tasks, all columns in turn, and keeps each row as soon as it is there. */
export async function timeTasks(
  context: Context,
  part: TaskPart,
  seats: readonly Seat[],
): Promise<void> {
  const { plan, left, results, add, tell } = context;
  const [tasks, repeats] = [plan.tasks[part], plan.repeats[part]];
  for (const [i, task] of tasks.entries()) {
    if (left() <= 0) {
      const lacking = tasks.slice(i).map(({ name }) => name).join("; ");
      return await add({ notes: [...results().notes, `no time left for ${lacking}`] });
    }
    const row = await compareTask(task, seats, {
      ...{ repeats, left: () => Math.min(LONGEST, left()) },
    });
    await add({ rows: [...results().rows, row] });
    const cells = seats.flatMap(({ name, note }, i) => {
      if (note) return [];
      const outcome = row.outcomes[i];
      const ms = timeOf(outcome);
      return [
        `${name} ${ms === undefined ? "note" in outcome ? outcome.note : "" : milliseconds(ms)}`,
      ];
    });
    tell(`${task.name}: ${cells.join("; ")}`);
  }
}
