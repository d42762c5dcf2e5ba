// What reading one mutated file comes to.
import v8 from "node:v8";
import { DataError } from "../../data/error.ts";
import { Random } from "../../data/random.ts";
import { type Meter, TooLargeError } from "./allocation.ts";
import { type FileKind, mutatedFile } from "./file_kinds.ts";

/** Milliseconds that reading a file takes at most. */
const LONGEST = 1000;

/** How often a file is read that takes longer: the system may have been busy. */
const TRIES = 3;

/** Bytes that an array may have besides twice those of the file. */
const CONSTANT = 2 ** 16;

/** Bytes of the heap that may be taken besides: texts and objects of the largest file here. */
const HEAP = 2 ** 25;

/** Characters of a message. */
const LONGEST_MESSAGE = 1500;

/** The outcome for one file. */
export interface Outcome {
  /** Whether it was read; the others were refused. */
  readonly read: boolean;
  /** What was wrong with that, in words. */
  readonly fault?: string;
  readonly milliseconds: number;
}

function shown(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return `${error.name}: ${error.message.slice(0, 300)}`;
}

function faultOf(error: unknown): string | undefined {
  if (error instanceof TooLargeError) return `asked for ${error.message}`;
  if (!(error instanceof DataError)) return `raised ${shown(error)}`;
  const { message } = error;
  if (message.length > LONGEST_MESSAGE) return `said ${message.length} characters`;
  return /\p{Cc}/u.test(message) ? `said ${JSON.stringify(message)}` : undefined;
}

function heap(): number {
  const { used_heap_size, external_memory } = v8.getHeapStatistics();
  return used_heap_size + external_memory;
}

/** The bytes of one file; `index` says which. */
export function fileAt(kind: FileKind, index: number): Uint8Array<ArrayBuffer> {
  return mutatedFile(kind, new Random(index, kind.name));
}

/** What reading a file once comes to. */
interface Reading {
  readonly error?: { readonly cause: unknown };
  readonly milliseconds: number;
  /** Bytes of the heap. */
  readonly taken: number;
}

async function readOnce(kind: FileKind, bytes: Uint8Array<ArrayBuffer>): Promise<Reading> {
  const before = heap();
  const start = performance.now();
  let error: Reading["error"];
  try {
    const result = kind.read(bytes);
    if (result instanceof Promise) await result;
  } catch (cause) {
    error = { cause };
  }
  const milliseconds = performance.now() - start;
  return { milliseconds, taken: heap() - before, ...error && { error } };
}

/**
 * Reads one mutated file of a kind. More than `longest` milliseconds, arrays of more than twice its
 * bytes, and errors other than a `DataError` of one line are faults.
 */
export async function examine(
  kind: FileKind,
  index: number,
  meter: Meter,
  longest = LONGEST,
): Promise<Outcome> {
  const bytes = fileAt(kind, index);
  const { length } = bytes;
  meter.reset();
  const { error, taken, ...first } = await readOnce(kind, bytes);
  const { largest } = meter;
  let { milliseconds } = first;
  for (let tries = 1; tries < TRIES && milliseconds > longest; tries++) {
    milliseconds = Math.min(milliseconds, (await readOnce(kind, bytes)).milliseconds);
  }
  const fault = (error && faultOf(error.cause)) ??
    (milliseconds > longest ? `took ${milliseconds.toFixed()} ms` : undefined) ??
    (largest > 2 * length + CONSTANT + (kind.firstRoom ?? 0)
      ? `took ${largest} bytes at once for ${length}`
      : undefined) ??
    (taken > 20 * length + HEAP ? `took ${taken} bytes for ${length}` : undefined);
  return { read: error === undefined, milliseconds, ...fault === undefined ? {} : { fault } };
}
