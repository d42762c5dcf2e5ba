// Mutated files of all kinds, many of them, in several threads:
//   deno run -A tests/torture/mutated_files.ts [SHARE]        reads a share of all files
//   deno run -A tests/torture/mutated_files.ts KIND INDEX     reads one, and shows it
import { DataError } from "../../data/error.ts";
import { fileAt } from "./examine.ts";
import { fileKinds } from "./file_kinds.ts";
import type { Batch, Read } from "./mutated_worker.ts";

/** Files that a thread is given at a time. */
const BATCH = 5000;

/** Milliseconds after which a file that is still read hangs, for sure. */
const HANGS = 20_000;

/** A thread that reads files. */
class Reader implements Disposable {
  #worker = this.#open();
  readonly #at = new Int32Array(new SharedArrayBuffer(4));

  #open(): Worker {
    return new Worker(new URL("./mutated_worker.ts", import.meta.url), { type: "module" });
  }

  /** Reads files; the rest of those of which one hangs is left out. */
  async read(batch: Omit<Batch, "at">): Promise<Read> {
    const at = this.#at;
    at[0] = -1;
    const { promise, resolve, reject } = Promise.withResolvers<Read>();
    this.#worker.onmessage = ({ data }: MessageEvent<Read>) => resolve(data);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      reject(new Error(`The thread ended at file ${Atomics.load(at, 0)}: ${event.message}`));
    };
    let last = -1;
    const watch = setInterval(() => {
      const now = Atomics.load(at, 0);
      if (now !== last || now < 0) {
        last = now;
        return;
      }
      this.#worker.terminate();
      this.#worker = this.#open();
      resolve({ read: 0, longest: HANGS, faults: [{ index: now, fault: "hangs" }] });
    }, HANGS);
    this.#worker.postMessage({ ...batch, at } satisfies Batch);
    try {
      return await promise;
    } finally {
      clearInterval(watch);
    }
  }

  [Symbol.dispose](): void {
    this.#worker.terminate();
  }
}

/**
 * Reads a share of all mutated files, the same ones each time: 1 for 1,000,000 of safetensors and
 * 100,000 of each other kind. `print` is told of each kind. Raises an `Error` if a file took longer
 * than a second, more than twice its bytes at once, or raised anything but a `DataError`.
 */
export async function mutatedFiles(share: number, print: (line: string) => void): Promise<void> {
  const threads = Math.max(1, Math.min(8, navigator.hardwareConcurrency));
  const readers = Array.from({ length: threads }, () => new Reader());
  let faulty = 0;
  try {
    for (const { name, count } of await fileKinds()) {
      const files = Math.max(1, Math.round(share * count));
      const start = performance.now();
      const found: Read[] = [];
      let next = 0;
      await Promise.all(readers.map(async (reader) => {
        while (next < files) {
          const from = next;
          next = Math.min(from + BATCH, files);
          found.push(await reader.read({ kind: name, from, to: next }));
        }
      }));
      const faults = found.flatMap(({ faults }) => faults).sort((a, b) => a.index - b.index);
      const read = found.reduce((sum, { read }) => sum + read, 0);
      const longest = Math.max(...found.map(({ longest }) => longest));
      faulty += faults.length;
      print(
        `${name}: ${files} files, ${read} read, ${
          files - read
        } refused, ${faults.length} faults, ` +
          `${longest.toFixed()} ms at most, ${((performance.now() - start) / 1000).toFixed()} s`,
      );
      for (const { index, fault } of faults.slice(0, 10)) print(`  file ${index} ${fault}`);
    }
  } finally {
    for (const reader of readers) reader[Symbol.dispose]();
  }
  if (faulty) {
    throw new Error(`Mutated files have ${faulty} faults; show one by its kind and number`);
  }
}

async function showOne(name: string, index: number): Promise<void> {
  const kind = (await fileKinds()).find((kind) => kind.name === name);
  if (!kind) throw new TypeError(`There is no kind ${name}`);
  const bytes = fileAt(kind, index);
  console.log(JSON.stringify(new TextDecoder("latin1").decode(bytes)));
  try {
    console.log(await kind.read(bytes));
  } catch (error) {
    console.log(error instanceof DataError ? error.message : error);
  }
}

if (import.meta.main) {
  const [share = "1", index] = Deno.args;
  if (index !== undefined) await showOne(share, Number(index));
  else await mutatedFiles(Number(share), console.log);
  Deno.exit();
}
