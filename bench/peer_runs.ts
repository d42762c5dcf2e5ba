import type { Gpu } from "../kernels/gpu.ts";
import { UsageError } from "../train/errors.ts";
import { type Column, OTHERS, ours, USUAL } from "./columns.ts";
import { compareTask, helloOf, leave, type Seat, seated } from "./compare_task.ts";
import { grantsOf } from "./grants.ts";
import { Own } from "./own.ts";
import type { Comparison, Row } from "./comparison.ts";
import { cellsOf, shown } from "./table.ts";
import { LARGE_TASKS, TASKS } from "./work.ts";

/** What is compared. */
export interface PeersOptions {
  readonly repeats: number;
  /** Whether the work is of a size for graphics processors. */
  readonly large: boolean;
  /** A part of the names of the tasks. Default: all tasks. */
  readonly only?: string;
  /** Whether to do what takes minutes, too. */
  readonly all: boolean;
}

/** The other columns: on work for graphics processors, the precisions that people use there too. */
function columnsOf(large: boolean): readonly Column[] {
  if (!large) return OTHERS;
  const grants = grantsOf("step");
  return [
    ours("mixed", { grants }),
    ours("mixed", { grants, webgpu: "dawn" }),
    ...USUAL,
    ...OTHERS,
  ];
}

/** Times all peers on the same tasks, in turn. `tell` is given a line on each task. */
export async function comparePeers(
  gpu: Gpu,
  options: PeersOptions,
  tell: (line: string) => void,
): Promise<Pick<Comparison, "peers" | "rows">> {
  const { only = "", large } = options;
  const offered = large ? LARGE_TASKS : TASKS;
  const tasks = offered.filter(({ name }) => name.includes(only));
  if (!tasks.length) {
    const names = offered.map(({ name }) => name).join("; ");
    throw new UsageError(`Cannot compare: no work has ${only} in its name; there is ${names}`);
  }
  const own = new Own(gpu);
  const name = large ? `${own.name} float32` : own.name;
  const seats: Seat[] = [{ name, marks: { kind: "ours" }, peer: own }];
  try {
    seats.push(...await Promise.all(columnsOf(large).map((column) => seated(column))));
    const peers = seats.map((seat) => ({ ...helloOf(seat), marks: seat.marks }));
    for (const peer of peers) {
      tell(
        "note" in peer
          ? `${peer.name}: missing: ${peer.note}`
          : `${peer.name} ${peer.version}: ${peer.device}`,
      );
    }
    const there = shown(peers);
    const rows: Row[] = [];
    for (const task of tasks) {
      const row = await compareTask(task, seats, options);
      rows.push(row);
      const [name, ...cells] = cellsOf(row);
      const told = there.map((i) => `${peers[i].name} ${cells[i]}`);
      tell(`${name}: ${told.join("; ")}`);
    }
    return { peers, rows };
  } finally {
    await leave(seats);
  }
}
