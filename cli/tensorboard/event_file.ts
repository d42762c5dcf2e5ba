import { joined } from "../../data/safetensors.ts";
import type { EpochMetrics } from "../../train/types.ts";
import { EVENTS_FILE, EVENTS_FOLDER } from "../run/replacing.ts";
import { SaidOnce } from "../run/said_once.ts";
import { unwritable } from "../run/unwritable.ts";
import { epochEvent, versionEvent, whenWas } from "./event.ts";
import { recordOf, recordsIn } from "./records.ts";

/**
 * The events of a run for TensorBoard: scalars of each epoch, its step. One file, to which epochs are
 * appended; a run that goes on or back writes it anew with the epochs that count, each at the time
 * that it had. A run goes on where it cannot be written.
 */
export class EventFile {
  readonly #folder: () => string;
  readonly #faults: SaidOnce;
  readonly #now: () => number;

  /** `folder` is asked each time; `note` is told, once, what cannot be written. */
  constructor(
    folder: () => string,
    note: (text: string) => void,
    now: () => number = () => Date.now() / 1000,
  ) {
    this.#folder = folder;
    this.#faults = new SaidOnce(note);
    this.#now = now;
  }

  get #path(): string {
    return `${this.#folder()}/${EVENTS_FILE}`;
  }

  #trying(write: () => void): void {
    try {
      Deno.mkdirSync(`${this.#folder()}/${EVENTS_FOLDER}`, { recursive: true });
      write();
      this.#faults.worked(EVENTS_FILE);
    } catch (error) {
      this.#faults.failed(EVENTS_FILE, unwritable(this.#path, error).message);
    }
  }

  #there(): Uint8Array {
    try {
      return Deno.readFileSync(this.#path);
    } catch {
      return new Uint8Array();
    }
  }

  /** Adds an epoch. */
  append(metrics: EpochMetrics): void {
    this.#trying(() => {
      const now = this.#now();
      const begun = this.#there().length > 0;
      const events = [...begun ? [] : [versionEvent(now)], epochEvent(metrics, now)];
      Deno.writeFileSync(this.#path, joined(events.map(recordOf)), { append: true });
    });
  }

  /** These epochs count, and no others. */
  rewrite(history: readonly EpochMetrics[]): void {
    this.#trying(() => {
      const times = new Map<string, number>();
      for (const record of recordsIn(this.#there())) {
        const was = whenWas(record);
        if (was) times.set(`${was.search} ${was.step}`, was.wallTime);
      }
      const now = this.#now();
      const events = history.map((metrics) =>
        epochEvent(metrics, times.get(`${metrics.search !== undefined} ${metrics.epoch}`) ?? now)
      );
      const first = Math.min(now, ...times.values());
      Deno.writeFileSync(this.#path, joined([versionEvent(first), ...events].map(recordOf)));
    });
  }
}

/** Writes the events of a run that has just ended, each epoch at the time when it ended. */
export function writeEvents(
  folder: string,
  history: readonly EpochMetrics[],
  note: (text: string) => void,
): void {
  let time = Date.now() / 1000 - history.reduce((sum, { seconds }) => sum + seconds, 0);
  const file = new EventFile(() => folder, note, () => time);
  // The folder may have those of an earlier run.
  file.rewrite([]);
  for (const metrics of history) {
    time += metrics.seconds;
    file.append(metrics);
  }
}
