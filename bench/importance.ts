// What the order of filters does: from trained networks, `--importance` of all kinds after the same
// short training, with several seeds.
import { readInputs } from "../cli/run/open_run.ts";
import { openRunPictures } from "../cli/run/run_pictures.ts";
import { columns } from "../cli/text.ts";
import type { Gpu } from "../kernels/gpu.ts";
import {
  filterScores,
  type Importance,
  IMPORTANCES,
  importantFilters,
} from "../nn/compress/importance.ts";
import { withSmallNorms } from "../nn/compress/pretrained_small.ts";
import type { Normalization } from "../data/dataset.ts";
import type { State } from "../nn/parameters.ts";
import { parseCheckpoint } from "../export/checkpoint.ts";
import { taylorScores } from "../train/filter_scores.ts";
import {
  initialState,
  type Job,
  jobOn,
  type RunInputs,
  traceEvaluation,
  weightsOf,
} from "../train/job.ts";
import { estimateStatistics } from "../train/norm_statistics.ts";
import { runJob } from "../train/train.ts";
import type { TrainOptions } from "../train/types.ts";
import { SILENT } from "../train/silent.ts";
import { spread } from "./spread.ts";
import { benchTrials, print, seedsOf, takeFlags, trainingOptions, wholeNumber } from "./trials.ts";

const USAGE =
  `Usage: deno task bench importance [--base-epochs N] [--seeds N] [--seed N] [flags of train]

Trains a base network, cuts it by each order of filters (--importance), trains on for a short time,
and prints what comes of each.

  --base-epochs  epochs of the base networks. Default: 5
  --base-lr      their learning rate. Default: 0.02
  --base-size    their training images. Default: 2048
  --bases        how many of them. Default: one for each seed
  --compression  of what is cut out. Default: 2
  --epochs       epochs after the cut. Default: 3
  --lr           learning rate after the cut. Default: 0.005
  --seeds        how many seeds. Default: 3
  --seed         the first of them. Default: 0

Example:
  deno task bench importance --seeds 1 --base-epochs 2 --epochs 1`;

/** Batches that statistics are estimated on, and gradients taken over. */
const BATCHES = 16;

/** Top-1 of one run. */
type Found = Readonly<Record<string, number>>;

async function small(gpu: Gpu, job: Job, state: State): Promise<number> {
  using scope = gpu.scope();
  const evaluation = await traceEvaluation(scope, job, weightsOf(scope, job, state));
  return (await evaluation.scores(job.validation)).small?.top1 ?? NaN;
}

/** The job of an importance, and the weights that it begins with. */
async function cut(
  gpu: Gpu,
  { inputs, options, state }: { inputs: RunInputs; options: TrainOptions; state: State },
  importance: Importance,
): Promise<{ job: Job; state: State }> {
  const first = jobOn(inputs, options);
  const { adjoined, feed, batches } = first;
  const scores = importance === "first"
    ? undefined
    : importance === "taylor"
    ? await taylorScores(gpu, adjoined, { state, feed, batches, count: BATCHES })
    : filterScores(adjoined, { importance, state });
  const job = scores
    ? jobOn(inputs, { ...options, widths: importantFilters(adjoined, scores) })
    : first;
  const start = withSmallNorms(job.adjoined, { state, unused: [], fresh: [] }).state;
  return { job, state: new Map([...initialState(job), ...start]) };
}

async function measure(
  gpu: Gpu,
  { inputs, options, state }: { inputs: RunInputs; options: TrainOptions; state: State },
  importance: Importance,
  estimated: boolean,
): Promise<Found> {
  const begun = await cut(gpu, { inputs, options, state }, importance);
  const { job } = begun;
  const { objective, feed, batches } = job;
  if (objective.mode === "search") throw new TypeError("Cannot measure a search");
  const before = await small(gpu, job, begun.state);
  const again = await estimateStatistics(gpu, begun.state, {
    ...{ objective, feed, batches, count: BATCHES },
  });
  const estimatedBefore = await small(gpu, job, again);
  const from = estimated ? again : begun.state;
  const { summary } = await runJob(gpu, job, SILENT, { state: from });
  return {
    "small cut": before,
    "statistics anew": estimatedBefore,
    "small trained": summary.small?.top1 ?? NaN,
    "base trained": summary.base?.top1 ?? NaN,
  };
}

function table(rows: ReadonlyMap<string, readonly Found[]>): string {
  const names = [...rows.values()].flatMap(([found]) => found ? Object.keys(found) : []);
  const heads = [...new Set(names)];
  const lines = columns([
    ["importance", ...heads],
    ...[...rows].map(([name, all]) => [
      name,
      ...heads.map((head) => spread(all.map((found) => found[head]))),
    ]),
  ]);
  return lines.join("\n");
}

const OWN = [
  "seed",
  "seeds",
  "bases",
  "compression",
  "epochs",
  "lr",
  "base-size",
  "base-epochs",
  "base-lr",
] as const;

/** What all trainings have, unless other flags are given. */
const COMMON = "--model resnet20 --train-size 1024 --val-size 500 --batch-size 32 --image-size 16";
/** What trainings of cut networks have, and those of the networks that they are cut out of. */
const USUAL = {
  ...{ compression: "2", epochs: "3", lr: "0.005" },
  ...{ "base-size": "2048", "base-epochs": "5", "base-lr": "0.02" },
} as const;

/** A trained base network, and how its images were normalised. */
interface Whole {
  readonly state: State;
  readonly normalization: Normalization;
  readonly top1: number;
}

async function wholeNetwork(gpu: Gpu, inputs: RunInputs, options: TrainOptions): Promise<Whole> {
  const { files, summary } = await runJob(gpu, jobOn(inputs, options), SILENT);
  const { state } = parseCheckpoint(files.get("base.safetensors") ?? new Uint8Array(), "base");
  return { state, normalization: inputs.split.normalization, top1: summary.base?.top1 ?? NaN };
}

if (import.meta.main) {
  await benchTrials(USAGE, async (gpu, args) => {
    const flags = takeFlags(args, OWN);
    const value = (name: keyof typeof USUAL): string => flags.given(name).at(-1) ?? USUAL[name];
    const optionsOf = (seed: number, more: readonly string[]): TrainOptions =>
      trainingOptions([...COMMON.split(" "), ...flags.rest, "--seed", `${seed}`, ...more]);
    const rows = new Map<string, Found[]>();
    const bases: Whole[] = [];
    const seeds = seedsOf(flags);
    const count = wholeNumber(flags, "bases", { otherwise: seeds.length });
    for (const [i, seed] of seeds.entries()) {
      const options = optionsOf(seed, [
        ...["--compression", value("compression")],
        ...["--epochs", value("epochs"), "--lr", value("lr")],
      ]);
      using pictures = await openRunPictures(options, print);
      if (bases.length < count) {
        const began = performance.now();
        const plain = optionsOf(seed, [
          ...["--mode", "plain", "--train-size", value("base-size")],
          ...["--epochs", value("base-epochs"), "--lr", value("base-lr")],
        ]);
        const base = await wholeNetwork(gpu, await readInputs(plain, pictures.open), plain);
        bases.push(base);
        const seconds = ((performance.now() - began) / 1000).toFixed(0);
        print(`seed ${seed}: base ${spread([base.top1])}, ${seconds} s`);
      }
      const { state, normalization } = bases[i % bases.length];
      const { split } = await readInputs(options, pictures.open);
      const inputs = { split: { ...split, normalization } };
      const runs = [
        ...IMPORTANCES.map((importance) => [importance, importance, true] as const),
        ["l2, statistics of the base", "l2", false] as const,
      ];
      for (const [name, importance, estimated] of runs) {
        const found = await measure(gpu, { inputs, options, state }, importance, estimated);
        rows.set(name, [...rows.get(name) ?? [], found]);
      }
      print(`base ${spread(bases.map(({ top1 }) => top1))}\n${table(rows)}`);
    }
  });
}
