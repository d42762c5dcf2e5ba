// Reads mutated files in a thread of its own, so that one that hangs can be ended.
import { meterAllocations } from "./allocation.ts";
import { examine } from "./examine.ts";
import { fileKinds } from "./file_kinds.ts";

/** The files to read: those of a kind from one on, up to another. */
export interface Batch {
  readonly kind: string;
  readonly from: number;
  readonly to: number;
  /** The file that is being read. */
  readonly at: Int32Array<SharedArrayBuffer>;
}

/** What reading them came to. */
export interface Read {
  /** How many were read; the others were refused. */
  readonly read: number;
  /** Faults, with the files that had them. */
  readonly faults: readonly { readonly index: number; readonly fault: string }[];
  readonly longest: number;
}

/** The faults of a batch that are kept. */
const MOST_FAULTS = 100;

/** The part of a worker's scope that is used. */
interface WorkerScope {
  onmessage: ((event: MessageEvent<Batch>) => void) | null;
  postMessage(message: Read): void;
}

function isWorkerScope(scope: object): scope is WorkerScope {
  return "postMessage" in scope && "onmessage" in scope;
}

const kinds = await fileKinds();
const meter = meterAllocations();
const scope: object = globalThis;
if (!isWorkerScope(scope)) throw new TypeError("Cannot read files: wanted a worker");
scope.onmessage = async ({ data: { kind: name, from, to, at } }) => {
  const kind = kinds.find((kind) => kind.name === name);
  if (!kind) throw new TypeError(`Cannot read files: there is no kind ${name}`);
  let read = 0;
  let longest = 0;
  const faults: { index: number; fault: string }[] = [];
  for (let index = from; index < to; index++) {
    Atomics.store(at, 0, index);
    const outcome = await examine(kind, index, meter);
    if (outcome.read) read++;
    longest = Math.max(longest, outcome.milliseconds);
    if (outcome.fault && faults.length < MOST_FAULTS) faults.push({ index, fault: outcome.fault });
  }
  scope.postMessage({ read, faults, longest });
};
