import { type Paint, plain, remark } from "../colour.ts";
import { headerLines, runFacts, validationWord } from "./header.ts";
import { runResult } from "./result.ts";
import { percent } from "../../data/words.ts";
import { duration, grouped } from "../text.ts";
import type {
  EpochMetrics,
  Progress,
  Reporter,
  RunStart,
  Summary,
  Work,
} from "../../train/types.ts";
import { type ByNetwork, entriesOf } from "../../nn/which.ts";

/** Where the lines go. */
export interface ProgressOptions {
  readonly write: (text: string) => void;
  /** Whether a line can be written over; else lines follow one another. */
  readonly terminal: boolean;
  /** Characters in a line of the terminal. */
  readonly width: () => number;
  /** A clock, in milliseconds. */
  readonly now: () => number;
  /** Whether to print only the result. */
  readonly quiet: boolean;
  /** Colours of what is written. Default: none. */
  readonly paint?: Paint;
  /** Whether to print nothing but progress within a run, as one of many. */
  readonly brief?: boolean;
}

/** Seconds between two lines where lines cannot be written over. */
const PAUSE = 10;
/** Seconds between two states of a line that is written over, of work that reports often. */
const REFRESH = 0.1;
const BAR = 12;
/** The share of the time that may be spent waiting for images without a word. */
const WAITING = 0.05;

function accuracies(of: ByNetwork<number>): string[] {
  return entriesOf(of).map(([which, fraction]) => `${which} ${percent(fraction)}`);
}

function bar(fraction: number): string {
  const full = Math.round(BAR * fraction);
  return "━".repeat(full) + "─".repeat(BAR - full);
}

/** The share of the time in which the GPU waited for images, where it is worth a word. */
function waitingFor({ waiting }: Pick<Progress, "waiting">): string[] {
  return waiting > WAITING ? [`data ${Math.round(100 * waiting)} %`] : [];
}

/** As many of the parts as a line has room for; the first at any rate, cut if need be. */
function fit(parts: readonly string[], width: number): string {
  let line = parts[0].slice(0, width);
  for (const part of parts.slice(1)) {
    if (line.length + 2 + part.length > width) break;
    line += `  ${part}`;
  }
  return line;
}

/** Tells people how a run goes: one line that is written over, one that stays for each epoch. */
export class ProgressLine implements Reporter {
  readonly #options: ProgressOptions;
  #mode: Summary["mode"] = "adjoined";
  #test = false;
  /** The name of the current run, where it is one of many. */
  #what: string[] = [];
  /** Lines of the last header. */
  #header: readonly string[] = [];
  /** The work that is reported, and when it began. */
  #work?: { readonly what: string; readonly epoch?: number; readonly since: number; done: number };
  #open = false;
  #printed: number;
  #refreshed = -Infinity;

  constructor(options: ProgressOptions) {
    this.#options = options;
    this.#printed = options.now();
  }

  /** Ends the line that is written over, so that other text can follow. */
  end(): void {
    if (this.#open) this.#options.write("\n");
    this.#open = false;
  }

  /** Erases the line that is written over. */
  clear(): void {
    if (this.#open) this.#options.write("\r\x1b[K");
    this.#open = false;
  }

  #over(line: string): void {
    const { write, paint = plain } = this.#options;
    const painted = line.replace(/━+/, (done) => paint("green", done))
      .replace(/─+/, (left) => paint("dim", left));
    // Erases what is left of a longer line.
    write(`\r${painted}\x1b[K`);
    this.#open = true;
    this.#refreshed = this.#options.now();
  }

  #lines(lines: readonly string[]): void {
    this.clear();
    this.#options.write(lines.map((line) => `${line}\n`).join(""));
  }

  /** Shows how far something is: over the last line, or on one of its own every ten seconds. */
  #show(parts: readonly string[], { whole }: { readonly whole: boolean }): void {
    const { terminal, now, width } = this.#options;
    if (terminal) {
      // A full last column would make some terminals wrap.
      this.#over(fit([...this.#what, ...parts], width() - 1));
    } else if (!whole && now() - this.#printed >= 1000 * PAUSE) {
      this.#printed = now();
      this.#lines([[...this.#what, ...parts].join("  ")]);
    }
  }

  /** A part of the whole as a bar and a percentage. */
  #part(done: number): string {
    const percentage = `${Math.floor(100 * done)} %`.padStart(4);
    return this.#options.terminal ? `${bar(done)} ${percentage}` : percentage;
  }

  /** Prints what is about to run; of a second run only what differs from the first. */
  start(info: RunStart): void {
    this.#mode = info.options.mode;
    this.#test = info.test;
    this.#printed = this.#options.now();
    if (this.#options.brief) this.#what = [info.what];
    if (this.#options.quiet || this.#options.brief) return;
    const header = headerLines(runFacts(info));
    const before = this.#header;
    this.#header = header;
    const fresh = header.filter((line) => !before.includes(line));
    this.#lines(before.length ? ["", ...fresh] : header);
  }

  /** Loss, and the KL term and its weight where the mode has them. */
  #losses({ loss, kl, lambda }: Pick<Progress, "loss" | "kl" | "lambda">): string[] {
    return [
      `loss ${loss.toFixed(3)}`,
      ...this.#mode === "plain" ? [] : [`KL ${kl.toFixed(3)}`],
      ...this.#mode === "adjoined" ? [`λ ${lambda.toFixed(2)}`] : [],
    ];
  }

  /** Where a search stands: expected cost and budget, temperature, entropy of the gates. */
  #search({ search }: Pick<Progress, "search">): string[] {
    if (!search) return [];
    const { expected, budget, temperature, entropy } = search;
    return [
      `cost ${(100 * expected).toFixed(1)} of ${percent(budget)}`,
      `T ${temperature.toFixed(2)}`,
      `entropy ${entropy.toFixed(2)}`,
    ];
  }

  progress(progress: Progress): void {
    if (this.#options.quiet) return;
    const { epoch, epochs, step, steps, imagesPerSecond, etaSeconds, training } = progress;
    const speed = imagesPerSecond < 10 ? imagesPerSecond.toFixed(1) : imagesPerSecond.toFixed(0);
    this.#show([
      `epoch ${epoch}/${epochs}`,
      this.#part(step / steps),
      `ETA ${duration(etaSeconds)}`,
      ...accuracies(training),
      ...this.#search(progress),
      ...this.#losses(progress),
      `${speed} images/s`,
      ...waitingFor(progress),
    ], { whole: step >= steps });
  }

  work(work: Work): void {
    const { quiet, terminal, now } = this.#options;
    if (quiet) return;
    const { what, done, total, unit, epoch, epochs } = work;
    const last = this.#work;
    const first = last?.what !== what || last.epoch !== epoch || done < last.done || done === 0;
    const begun = first ? { what, epoch, since: now(), done } : last;
    begun.done = done;
    this.#work = begun;
    const soon = now() - this.#refreshed < 1000 * REFRESH;
    if (terminal && soon && !first && done < total) return;
    // The pace so far, where the run has none.
    const pace = (now() - begun.since) / 1000 / done;
    const eta = work.etaSeconds ?? (done ? pace * (total - done) : NaN);
    this.#show([
      ...epoch === undefined ? [] : [`epoch ${epoch}/${epochs}`],
      what,
      this.#part(done / total),
      `ETA ${duration(eta)}`,
      `${grouped(done)} of ${grouped(total)} ${unit}`,
    ], { whole: done >= total });
  }

  epoch(metrics: EpochMetrics): void {
    if (this.#options.quiet || this.#options.brief) return;
    const { epoch, epochs, seconds, validation } = metrics;
    const measured = accuracies(
      Object.fromEntries(entriesOf(validation).map(([which, { top1 }]) => [which, top1])),
    );
    this.#printed = this.#options.now();
    this.#lines([[
      `epoch ${String(epoch).padStart(String(epochs).length)}/${epochs}`,
      `${validationWord(this.#test)} ${measured.join("  ")}`,
      ...this.#search(metrics),
      ...this.#losses(metrics),
      duration(seconds),
      ...waitingFor(metrics),
    ].join("  ")]);
  }

  note(text: string): void {
    const { quiet, brief, paint = plain } = this.#options;
    if (!quiet && !brief) this.#lines([remark(text, paint)]);
  }

  /** The result, printed even when quiet. `files` are those in `folder`, with sizes in bytes. */
  finish(
    summary: Summary,
    { files, folder }: { readonly files: ReadonlyMap<string, number>; readonly folder: string },
  ): void {
    this.#lines(["", ...runResult(summary, { files, folder, test: this.#test })]);
  }
}
