// Reports of runs that never were.
import type { Comparison } from "../train/compare/comparison.ts";
import type { KeptReport } from "../cli/report_page/kept_report.ts";
import type { ComparisonReport, RunReport } from "../cli/report_page/report_data.ts";
import type { EpochMetrics } from "../train/types.ts";

/** A grey picture of one pixel. */
const PIXEL =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==";

function epoch(number: number, epochs: number, names: readonly string[]): EpochMetrics {
  const done = number / epochs;
  return {
    epoch: number,
    epochs,
    imagesPerSecond: 100 + number,
    loss: 3 - 2 * done,
    crossEntropy: 2 - done,
    kl: 0.1 + 0.1 * done,
    lambda: Math.min(1, 2 * done),
    lr: 0.004 * (1 - done),
    waiting: 0.01,
    training: Object.fromEntries(names.map((name, i) => [name, 0.8 * done - 0.05 * i])),
    etaSeconds: 10,
    seconds: 2,
    validation: Object.fromEntries(
      names.map((name, i) => [name, {
        top1: 0.9 * done - 0.05 * i * done,
        top5: 0.99,
        loss: 2 - done + 0.1 * i,
      }]),
    ),
  };
}

/** What a run keeps for its report. */
export function madeKept(names: readonly string[], classes: readonly string[]): KeptReport {
  const counts = classes.map((_, i) => 20 + i % 7);
  const said = Object.fromEntries(
    names.map((name, i) => [name, { predicted: i % classes.length, probability: 0.9 }]),
  );
  const example = { image: 3, label: 0, said, picture: PIXEL };
  return {
    versions: { adjoin: "0.1.0", Deno: "2.9.0", system: "linux, x86_64" },
    command: ["train", "--model", "resnet8"],
    test: true,
    images: counts.reduce((a, b) => a + b, 0),
    classes,
    networks: Object.fromEntries(
      names.map((name, n) => [name, {
        images: counts,
        right: counts.map((count, i) => Math.max(0, count - 2 - n - i % 5)),
        predicted: counts,
        confused: classes.slice(1, 401).map((_, i) => [i, i + 1, 3]),
      }]),
    ),
    between: [names[0], names[names.length - 1]],
    disagreeing: 12,
    disagreements: Array.from({ length: 12 }, () => example),
    mistakes: Array.from({ length: 12 }, () => example),
  };
}

/** A run with so many epochs, networks and classes; of a search as well. */
export function madeRun(
  { epochs = 4, names = ["base", "small"], classes = ["cat", "dog", "fox"], search = false }: {
    readonly epochs?: number;
    readonly names?: readonly string[];
    readonly classes?: readonly string[];
    readonly search?: boolean;
  } = {},
): RunReport {
  const all = (count: number) =>
    Array.from({ length: count }, (_, i) => epoch(i + 1, count, names));
  const searched = search
    ? all(3).map((metrics, i) => ({
      ...metrics,
      search: {
        expected: 0.9 - 0.2 * i,
        budget: 0.5,
        entropy: 1 - 0.3 * i,
        gamma: 1,
        temperature: 5,
      },
    }))
    : [];
  const layers = Array.from({ length: 9 }, (_, i) => ({
    layer: `layer${i}.conv`,
    widths: Object.fromEntries(names.map((name, n) => [name, (16 << (i / 3)) >> n])),
    params: Object.fromEntries(names.map((name, n) => [name, 9000 >> n])),
  }));
  const networks = names.map((name, i) => ({
    name,
    ...{ top1: 0.9 - 0.05 * i, top5: 0.99, loss: 1 + 0.1 * i },
    ...{ params: 80_000 >> i, macs: 2_000_000 >> i, bytes: 340_000 >> i },
    ...i ? { verify: { maxDifference: 0, maxError: 0, top1Agreement: 1, images: 1000 } } : {},
  }));
  return {
    kind: "run",
    name: "made",
    folder: "runs/made",
    status: "finished",
    read: new Date("2026-01-02T03:04:05Z"),
    version: "0.1.0",
    title: "resnet8, adjoined, generated",
    config: { command: "train", model: "resnet8", mode: "adjoined", epochs, seed: 0 },
    command: ["train", "--epochs", String(epochs)],
    files: [{ name: "small.safetensors", bytes: 170_000, sha256: "ab".repeat(32) }],
    points: networks.map(({ name, top1, params, macs, bytes }) => ({
      ...{ name, top1, params, macs, bytes, colour: "" },
    })),
    others: [],
    networks,
    history: [...searched, ...all(epochs)],
    summary: { adapter: "a GPU", seconds: 100, epochs },
    layers,
    found: {},
    kept: madeKept(names, classes),
    earlier: [],
  };
}

/** A comparison of two methods with three seeds. */
export function madeComparison(): ComparisonReport {
  const rows = [["base", "base"], ["alone", "small"], ["adjoined", "base"], [
    "adjoined",
    "small",
  ]] as const;
  const outcomes: Comparison["outcomes"] = rows.flatMap(([method, which], i) =>
    [0, 1, 2].map((seed) => ({
      ...{ method, which, seed, top1: 0.8 - 0.03 * i + 0.01 * seed },
      ...{ params: which === "base" ? 80_000 : 20_000, macs: which === "base" ? 2e6 : 8e5 },
      ...{ latency: 1 + i, file: `${method}-${seed}/${which}.safetensors` },
    }))
  );
  return {
    kind: "comparison",
    name: "compared",
    folder: "runs/compared",
    status: "finished",
    read: new Date("2026-01-02T03:04:05Z"),
    version: "0.1.0",
    config: { command: "compare", seeds: 3 },
    command: ["compare", "--seeds", "3"],
    files: [{ name: "compare.json", bytes: 4000 }],
    points: rows.map(([method, which], i) => ({
      ...{ name: `${which}, ${method}`, top1: 0.8 - 0.03 * i, colour: "", latency: 1 + i },
      ...{ params: which === "base" ? 80_000 : 20_000, macs: which === "base" ? 2e6 : 8e5 },
    })),
    others: [],
    comparison: {
      ...{
        model: "resnet8",
        dataset: "generated",
        epochs: 4,
        methods: ["base", "alone", "adjoined"],
      },
      ...{ budget: 0.4, budgeted: "macs", adapter: "a GPU", runtime: "onnxruntime-web" },
      ...{ test: true, seconds: 1000, outcomes },
    },
    runs: [{ name: "alone-0", report: true, history: [] }],
  };
}
