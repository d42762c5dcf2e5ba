import {
  columns,
  difference,
  duration,
  fileSize,
  grouped,
  percent,
  plural,
  scaled,
} from "../text.ts";
import type { EpochMetrics, Progress, Reporter, Summary, Which } from "../../train/types.ts";

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
  /** Whether to print nothing but progress within a run, as one of many. */
  readonly brief?: boolean;
}

/** Seconds between two lines within an epoch where lines cannot be written over. */
const PAUSE = 10;
const BAR = 12;

const NETWORKS = ["base", "small"] as const;

function accuracies(of: Partial<Record<Which, number>>): string[] {
  return NETWORKS.flatMap((which) => {
    const fraction = of[which];
    return fraction === undefined ? [] : [`${which} ${percent(fraction)}`];
  });
}

function bar(fraction: number): string {
  const full = Math.round(BAR * fraction);
  return "━".repeat(full) + "─".repeat(BAR - full);
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
  #open = false;
  #printed = -Infinity;

  constructor(options: ProgressOptions) {
    this.#options = options;
  }

  /** Ends the line that is written over, so that other text can follow. */
  end(): void {
    if (this.#open) this.#options.write("\n");
    this.#open = false;
  }

  #over(line: string): void {
    // Erases what is left of a longer line.
    this.#options.write(`\r${line}\x1b[K`);
    this.#open = true;
  }

  #lines(lines: readonly string[]): void {
    if (this.#open) this.#options.write("\r\x1b[K");
    this.#open = false;
    this.#options.write(lines.map((line) => `${line}\n`).join(""));
  }

  start(
    { adapter, options, what, trainImages, validationImages, classes, costs }: Parameters<
      Reporter["start"]
    >[0],
  ): void {
    this.#mode = options.mode;
    this.#printed = this.#options.now();
    if (this.#options.quiet || this.#options.brief) return;
    const { model, dataset, epochs, batchSize, opt, sched, lr, seed } = options;
    const networks = NETWORKS.flatMap((which) => {
      const cost = costs[which];
      return cost
        ? [[which, `${grouped(cost.params)} parameters`, `${scaled(cost.macs)} MACs`]]
        : [];
    });
    const images = `${grouped(trainImages)} training and ${grouped(validationImages)} validation`;
    const facts = columns([
      ["adapter", adapter],
      ["model", `${model}, ${what}`],
      ["data", `${dataset}: ${images} images of ${classes} classes`],
      [
        "run",
        `${plural(epochs, "epoch")}, batch ${batchSize}, ${opt}, ${sched}, lr ${lr}, seed ${seed}`,
      ],
      ["output", options.output],
    ], [0, 1]);
    this.#lines([
      ...facts,
      ...columns(networks.map(([which, ...cells]) => [
        which.padEnd("adapter".length),
        ...cells,
      ])),
    ]);
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
    const { quiet, terminal, now, width } = this.#options;
    if (quiet) return;
    const { epoch, epochs, step, steps, imagesPerSecond, etaSeconds, training } = progress;
    const done = step / steps;
    const speed = imagesPerSecond < 10 ? imagesPerSecond.toFixed(1) : imagesPerSecond.toFixed(0);
    const parts = [
      `epoch ${epoch}/${epochs}`,
      `${terminal ? `${bar(done)} ` : ""}${Math.floor(100 * done)} %`.padStart(4),
      `ETA ${duration(etaSeconds)}`,
      ...accuracies(training),
      ...this.#search(progress),
      ...this.#losses(progress),
      `${speed} images/s`,
    ];
    if (terminal) {
      // A full last column would make some terminals wrap.
      this.#over(fit(parts, width() - 1));
    } else if (step < steps && now() - this.#printed >= 1000 * PAUSE) {
      this.#printed = now();
      this.#lines([parts.join("  ")]);
    }
  }

  epoch(metrics: EpochMetrics): void {
    if (this.#options.quiet || this.#options.brief) return;
    const { epoch, epochs, seconds, validation } = metrics;
    const { base, small } = validation;
    const measured = accuracies({ base: base?.top1, small: small?.top1 });
    this.#printed = this.#options.now();
    this.#lines([[
      `epoch ${String(epoch).padStart(String(epochs).length)}/${epochs}`,
      `validation ${measured.join("  ")}`,
      ...this.#search(metrics),
      ...this.#losses(metrics),
      duration(seconds),
    ].join("  ")]);
  }

  note(text: string): void {
    if (!this.#options.quiet && !this.#options.brief) this.#lines([text]);
  }

  /** The result, printed even when quiet. `files` are those in `folder`, with sizes in bytes. */
  finish(
    summary: Summary,
    { files, folder }: { readonly files: ReadonlyMap<string, number>; readonly folder: string },
  ): void {
    const rows = NETWORKS.flatMap((which) => {
      const network = summary[which];
      if (!network) return [];
      const size = files.get(`${which}.safetensors`);
      const { top1, params, macs } = network;
      const cells = [percent(top1), grouped(params), scaled(macs)];
      return [[which, ...cells, size === undefined ? "" : fileSize(size)]];
    });
    const { verify } = summary;
    const verified = verify
      ? [
        `small network extracted: largest logit difference ${difference(verify.maxDifference)}, ` +
        `${percent(verify.top1Agreement)} same class over ${verify.images} images`,
      ]
      : [];
    this.#lines([
      "",
      ...columns([["network", "top-1", "params", "MACs", "file"], ...rows]),
      ...verified,
      `${[...files.keys()].join(", ")} in ${folder}, after ${duration(summary.seconds)}`,
    ]);
  }
}
