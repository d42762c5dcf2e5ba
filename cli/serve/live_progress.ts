// progress.json: where a run is within its epoch, for who looks at it from another process.
import { isRecord, parseJson } from "../../data/json.ts";
import { PROGRESS_FILE } from "../run/replacing.ts";
import type { Progress, Work } from "../../train/types.ts";

/** Milliseconds from one writing to the next, at least. */
const PAUSE = 1000;

/** What is written: the last that was told, of training or of other work. */
export type LiveProgress = { readonly progress: Progress } | { readonly work: Work };

/**
 * Writes progress to a folder, at most once a second, beside the steps of a run: nothing waits for it,
 * and a run goes on where it fails. The file goes away at the end.
 */
export class ProgressFile {
  readonly #folder: () => string;
  readonly #now: () => number;
  #writing: Promise<void> = Promise.resolve();
  #busy = false;
  #last = -Infinity;
  #path?: string;

  /** `folder` is asked each time, as a run that replaces another moves. */
  constructor(folder: () => string, now: () => number = () => performance.now()) {
    this.#folder = folder;
    this.#now = now;
  }

  /** Takes note of progress; writes it where the last writing is long enough ago. */
  tell(found: LiveProgress): void {
    if (this.#busy || this.#now() - this.#last < PAUSE) return;
    this.#last = this.#now();
    this.#busy = true;
    const path = this.#path = `${this.#folder()}/${PROGRESS_FILE}`;
    this.#writing = this.#write(path, JSON.stringify(found)).finally(() => this.#busy = false);
  }

  async #write(path: string, text: string): Promise<void> {
    // Whoever reads finds all of it; what is lost with the machine is not missed.
    const temporary = path.replace(/[^/]*$/, `adjoin-${crypto.randomUUID()}.tmp`);
    try {
      await Deno.writeTextFile(temporary, text, { createNew: true });
      await Deno.rename(temporary, path);
    } catch {
      await Deno.remove(temporary).catch(() => {});
    }
  }

  /** Removes the file, once nothing is being written. */
  async end(): Promise<void> {
    await this.#writing;
    if (this.#path !== undefined) await Deno.remove(this.#path).catch(() => {});
  }
}

/** What is shown of progress: words, and how much of it is done. */
export interface ShownProgress {
  readonly words: string;
  /** From 0 to 1. */
  readonly done: number;
  /** Seconds to the end of the run. */
  readonly eta?: number;
}

function isNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

/** What a progress.json says; nothing for a text of another form, as of another release. */
export function readProgress(text: string): ShownProgress | undefined {
  let found: unknown;
  try {
    found = parseJson(text);
  } catch {
    return undefined;
  }
  if (!isRecord(found)) return undefined;
  const { progress, work } = found;
  if (isRecord(progress)) {
    const { epoch, epochs, step, steps, loss, imagesPerSecond, etaSeconds, search } = progress;
    if (![epoch, epochs, step, steps, loss, imagesPerSecond].every(isNumber)) return undefined;
    const what = isRecord(search) ? "search, epoch" : "epoch";
    return {
      words: `${what} ${epoch} of ${epochs}, step ${step} of ${steps}, loss ` +
        `${Number(loss).toFixed(3)}, ${Number(imagesPerSecond).toFixed(0)} images/s`,
      done: Number(step) / Math.max(1, Number(steps)),
      ...isNumber(etaSeconds) ? { eta: etaSeconds } : {},
    };
  }
  if (!isRecord(work)) return undefined;
  const { what, done, total, unit, etaSeconds } = work;
  if (!isNumber(done) || !isNumber(total)) return undefined;
  return {
    words: `${what}, ${done} of ${total} ${unit}`,
    done: done / Math.max(1, total),
    ...isNumber(etaSeconds) ? { eta: etaSeconds } : {},
  };
}
