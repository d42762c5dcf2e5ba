import { messageOf } from "../data/message_of.ts";
import type { Gpu } from "../kernels/gpu.ts";
import { Own } from "./own.ts";
import { type Peer, type PeerCommand, ProcessPeer } from "./peer.ts";
import { cellsOf, type Comparison, type Outcome, type Row } from "./table.ts";
import { LARGE_TASKS, type Task, TASKS } from "./work.ts";
import { UsageError } from "../train/errors.ts";

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

const FOLDER = new URL("./peers/", import.meta.url);

function deno(name: string, script: string): PeerCommand {
  const args = ["run", "--quiet", "--no-prompt", script];
  return { name, programs: ["deno"], args };
}

const COMMANDS: readonly PeerCommand[] = [
  deno("TensorFlow.js", "tfjs.ts"),
  deno("jax-js", "jax_js.ts"),
  { name: "PyTorch", programs: ["python3", "/usr/bin/python3"], args: ["pytorch.py"] },
];

/** Peers whose steps are of basic blocks. */
const SMALL_STEPS: readonly string[] = ["TensorFlow.js", "jax-js"];

/** Steps of TensorFlow.js with more than this many channels take minutes. */
const TFJS_CHANNELS = 64;

/** Why a peer is not given a task, if it is not. */
function leftOut(peer: string, task: Task, all: boolean): string | undefined {
  if (task.kind !== "step" || !SMALL_STEPS.includes(peer)) return undefined;
  if (task.blocks === "inverted") return undefined;
  if (task.bottleneck) return "not written";
  const slow = peer === "TensorFlow.js" && Math.max(...task.widths) > TFJS_CHANNELS;
  return slow && !all ? "left out" : undefined;
}

/** How far results may be apart, relative to their size. */
const TOLERANCE = 1e-3;

/** How far apart they still come from the same work, done less exactly; it is timed, and said. */
const INEXACT = 1e-2;

/** A peer, or why there is none. */
type Found = Peer | { readonly name: string; readonly note: string };

async function start(command: PeerCommand): Promise<Found> {
  try {
    return await ProcessPeer.start(command, FOLDER);
  } catch (error) {
    return { name: command.name, note: messageOf(error) };
  }
}

/** A task with one peer, while it goes on. */
interface Entry {
  readonly peer?: Peer;
  readonly times: number[];
  /** How far its result is off, relative to its size, where that is too far. */
  off?: number;
  note?: string;
}

/** Makes every peer ready, then runs them in turn. */
async function compare(task: Task, peers: readonly Found[], options: PeersOptions): Promise<Row> {
  const entries: Entry[] = [];
  let wanted: number | undefined;
  for (const peer of peers) {
    const note = "note" in peer ? "missing" : leftOut(peer.name, task, options.all);
    if ("note" in peer || note) entries.push({ times: [], note });
    else {
      const entry: Entry = { peer, times: [] };
      entries.push(entry);
      try {
        const check = await peer.prepare(task);
        wanted ??= check;
        const apart = Math.abs(check - wanted) / Math.abs(wanted);
        if (!(apart <= INEXACT)) entry.note = `other result: ${check}`;
        else if (apart > TOLERANCE) entry.off = apart;
      } catch (error) {
        if (peer instanceof Own) throw error;
        entry.note = `failed: ${messageOf(error)}`;
      }
    }
  }
  for (let i = 0; i < options.repeats; i++) {
    for (const entry of entries) {
      if (!entry.peer || entry.note) continue;
      try {
        entry.times.push(await entry.peer.run());
      } catch (error) {
        if (entry.peer instanceof Own) throw error;
        entry.note = `failed: ${messageOf(error)}`;
      }
    }
  }
  const outcomes = entries.map(({ note, times, off }): Outcome => note ? { note } : { times, off });
  return { task, outcomes };
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
  const peers: Found[] = [new Own(gpu)];
  try {
    for (const command of COMMANDS) peers.push(await start(command));
    for (const peer of peers) {
      tell(
        "note" in peer
          ? `${peer.name}: missing: ${peer.note}`
          : `${peer.name} ${peer.version}: ${peer.device}`,
      );
    }
    const rows: Row[] = [];
    for (const task of tasks) {
      const row = await compare(task, peers, options);
      rows.push(row);
      const [name, ...cells] = cellsOf(row);
      tell(`${name}: ${cells.map((cell, i) => `${peers[i].name} ${cell}`).join("; ")}`);
    }
    return {
      peers: peers.map((peer) =>
        "note" in peer ? peer : {
          name: peer.name,
          version: peer.version,
          device: peer.device,
        }
      ),
      rows,
    };
  } finally {
    for (const peer of peers) if (!("note" in peer)) await peer.close();
  }
}
