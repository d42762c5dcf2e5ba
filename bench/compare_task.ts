import { messageOf } from "../data/message_of.ts";
import { type Column, type Marks, PEERS } from "./columns.ts";
import { type Peer, ProcessPeer } from "./peer.ts";
import type { Outcome, Row } from "./comparison.ts";
import type { Hello, Task } from "./work.ts";

/** A column with its library, or why there is none. */
export interface Seat {
  readonly name: string;
  readonly marks: Marks;
  /** How it is started; absent for what runs in this process, whose errors end the comparison. */
  readonly column?: Column;
  peer?: Peer;
  note?: string;
}

/** Starts the process of a column, which has `limit` milliseconds for its first word. */
export async function seated(column: Column, limit?: number): Promise<Seat> {
  const { kind, against, rounded, command } = column;
  const seat: Seat = { name: command.name, marks: { kind, against, rounded }, column };
  await start(seat, limit);
  return seat;
}

async function start(seat: Seat, limit?: number): Promise<void> {
  if (!seat.column) return;
  try {
    seat.peer = await ProcessPeer.start(seat.column.command, PEERS, limit);
    seat.note = undefined;
  } catch (error) {
    seat.peer = undefined;
    seat.note = messageOf(error).replace(/^error: /i, "");
  }
}

/** Ends all processes. */
export async function leave(seats: readonly Seat[]): Promise<void> {
  await Promise.all(seats.map(({ peer }) => peer?.close()));
}

/** How a seat is told in the table of libraries. */
export function helloOf({ name, peer, note }: Seat): Hello | { name: string; note: string } {
  return peer
    ? { name, version: peer.version, device: peer.device }
    : { name, note: note ?? "not started" };
}

/** How a task is compared. */
export interface CompareOptions {
  readonly repeats: number;
  /** Whether to do what takes minutes, too. */
  readonly all?: boolean;
  /** Milliseconds that are left for whatever comes next. Default: as many as it takes. */
  readonly left?: () => number;
}

/** How far results may be apart, relative to their size, before it is said, and before it is wrong. */
const APART = {
  exact: { told: 1e-3, wrong: 1e-2 },
  /** A step leaves the same loss but for rounding, which the next one makes larger. */
  rounded: { told: 1e-2, wrong: 0.25 },
} as const;

/** A task with one seat, while it goes on. */
interface Entry {
  readonly seat: Seat;
  readonly times: number[];
  bytes?: number;
  /** How far its result is off, relative to its size, where that is worth saying. */
  off?: number;
  note?: string;
}

/** Does what an entry may fail in: a peer of this process ends the comparison, others their entry. */
async function attempt(entry: Entry, run: (peer: Peer) => Promise<void>): Promise<void> {
  const { seat } = entry;
  if (entry.note || !seat.peer) return;
  try {
    await run(seat.peer);
  } catch (error) {
    if (!seat.column) throw error;
    entry.note = `failed: ${messageOf(error)}`;
  }
}

/** Makes every peer ready, then runs them in turn. A process that has ended is started again. */
export async function compareTask(
  task: Task,
  seats: readonly Seat[],
  { repeats, all = false, left = () => Infinity }: CompareOptions,
): Promise<Row> {
  const entries: Entry[] = [];
  let wanted: number | undefined;
  const limit = (): number => {
    const ms = left();
    if (ms <= 0) throw new Error("no time left");
    return ms;
  };
  for (const seat of seats) {
    const entry: Entry = { seat, times: [] };
    entries.push(entry);
    entry.note = seat.column?.leftOut?.(task, all);
    if (entry.note) continue;
    if (seat.peer?.alive === false && left() > 0) await start(seat, left());
    if (!seat.peer) entry.note = "missing";
    await attempt(entry, async (peer) => {
      const { check, bytes } = await peer.prepare(task, limit());
      entry.bytes = bytes;
      wanted ??= check;
      const apart = Math.abs(check - wanted) / Math.abs(wanted);
      const { told, wrong } = APART[seat.marks.rounded ? "rounded" : "exact"];
      if (!(apart <= wrong)) entry.note = `other result: ${check}`;
      else if (apart > told) entry.off = apart;
    });
  }
  for (let i = 0; i < repeats; i++) {
    for (const entry of entries) {
      await attempt(entry, async (peer) => {
        entry.times.push(await peer.run(limit()));
      });
    }
  }
  const outcomes = entries.map(({ note, times, off, bytes }): Outcome =>
    note && !times.length ? { note } : { times, off, bytes }
  );
  return { task, outcomes };
}
