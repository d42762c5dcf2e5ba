import { isTest } from "../../train/train.ts";
import { budgetName, listed, percent, plural } from "../../data/words.ts";
import { Gpu } from "../../kernels/gpu.ts";
import { nullDevice } from "../../kernels/gpu/null_device.ts";
import type { Scope } from "../../kernels/program/scope.ts";
import { groundOn } from "../../train/compare/ground.ts";
import { baseJob, uniformJob } from "../../train/compare/jobs.ts";
import { Plan } from "../../train/compare/plan.ts";
import { searched, searchJob } from "../../train/compare/searched.ts";
import type { Gates } from "../../train/gates.ts";
import { inParts, type Job } from "../../train/job.ts";
import { fitted } from "../../train/parts.ts";
import { adapterWords } from "../../train/precision.ts";
import { gatesOf, jobAfter, searchInParts, type SearchJob } from "../../train/search.ts";
import type { TrainOptions } from "../../train/types.ts";
import type { CompareRequest, SearchRequest } from "../options.ts";
import { openJob, openSearch, readInputs } from "../run/open_run.ts";
import { openRunPictures } from "../run/run_pictures.ts";
import { loadTiles } from "../run/tile_cache.ts";
import { columns, grouped } from "../text.ts";
import { firstBatchFacts } from "./first_batch.ts";
import { type Fact, recipeWords, validationWord } from "./header.ts";
import { type MemoryPlan, memoryTable, planMemory } from "./memory_plan.ts";

/** A part of a run whose memory is planned. */
interface Planned {
  /** What it is, where there are several. */
  readonly what?: string;
  /** With its batches in so many parts. */
  readonly inParts: (parts: number) => {
    readonly job: Job;
    readonly gatesOf?: (scope: Scope) => Gates;
  };
}

function training(job: Job, what?: string): Planned {
  return { what, inParts: (parts) => ({ job: inParts(job, parts) }) };
}

function searching(search: SearchJob, what: string): Planned {
  return {
    what,
    inParts: (parts) => {
      const parted = searchInParts(search, parts);
      return { job: parted.job, gatesOf: (scope) => gatesOf(scope, parted) };
    },
  };
}

/** The default adapter, without memory. */
async function openNull(): Promise<Gpu> {
  const gpu = await Gpu.open();
  gpu.destroy();
  return await Gpu.open({ device: nullDevice(gpu.device) });
}

/** Gradients would be taken on a GPU; which filters are kept is all one for memory. */
function withoutGradients(options: TrainOptions): TrainOptions {
  return options.importance === "taylor" ? { ...options, importance: "l2" } : options;
}

/** The images, and what is done with them. */
function dataFacts({ split, steps }: Job, options: TrainOptions): Fact[] {
  const { train, validation } = split;
  const images = `${grouped(train.length)} training and ${grouped(validation.length)} ` +
    `${validationWord(isTest(split))} images, ${train.classes.length} classes`;
  return [
    ["data", `${options.dataset}: ${images}`],
    ["run", `${recipeWords(options)}, ${plural(steps, "step")} an epoch, seed ${options.seed}`],
    ["output", options.output],
  ];
}

/** What is planned for all commands. */
interface DryRun {
  readonly options: TrainOptions;
  /** What is done, in a word or two. */
  readonly kind: string;
  /** What there is to say of a command's own. */
  readonly facts?: readonly Fact[];
  /** The parts of the run, with that in which the first batch is. */
  readonly planned: readonly [Planned, ...Planned[]];
}

async function dryRunText({ options, kind, facts = [], planned }: DryRun): Promise<string> {
  const { model, batchSize, gradAccumSteps } = options;
  const notes: string[] = [];
  let adapter = "";
  const plan = async (parts: number): Promise<MemoryPlan[]> => {
    const plans: MemoryPlan[] = [];
    for (const part of planned) {
      const gpu = await openNull();
      await loadTiles(gpu);
      adapter = adapterWords(gpu, options.precision);
      const { job, gatesOf } = part.inParts(parts);
      plans.push(await planMemory(gpu, job, gatesOf));
    }
    return plans;
  };
  const auto = gradAccumSteps === "auto";
  const parts = auto ? 1 : Number(gradAccumSteps);
  const plans = await fitted({
    ...{ batchSize, auto, parts },
    trial: plan,
    note: (text) => notes.push(text),
  }, plan);
  const { job } = planned[0].inParts(parts);
  const { height, width } = job.split.train;
  const header = columns([
    ["adapter", adapter],
    ["model", `${model}, ${kind}, batch ${batchSize} of ${width}x${height} pixels`],
    ...dataFacts(job, options),
    ...facts,
    ...await firstBatchFacts(job),
  ], [0, 1]);
  const tables = plans.flatMap((plan, i) => {
    const { what } = planned[i];
    return ["", ...what === undefined ? [] : [`${what}:`], ...memoryTable(plan)];
  });
  return [...header, ...notes, ...tables].map((line) => `${line}\n`).join("");
}

/**
 * Says what a run would do, with its first batch, and what GPU memory it would take: its own code, on a
 * device without memory. Raises the error that the run would raise for memory beyond the limits of the
 * adapter, where it may not take its batches in more parts. Trains and writes nothing.
 */
export async function dryRun(asked: TrainOptions): Promise<string> {
  const options = withoutGradients(asked);
  using pictures = await openRunPictures(options, () => {});
  const job = await openJob(options, pictures.open);
  return await dryRunText({ options, kind: options.mode, planned: [training(job)] });
}

/** As {@link dryRun}, of a search: its widths are not known, so those after it are even ones. */
export async function dryRunOfSearch(
  { options: asked, find, widthsOnly }: Pick<SearchRequest, "options" | "find" | "widthsOnly">,
): Promise<string> {
  const options = withoutGradients(asked);
  using pictures = await openRunPictures(options, () => {});
  // Latencies would have to be measured; memory depends on none.
  const wanted = find.budgeted === "latency"
    ? { ...find, budgeted: "macs" as const, budget: 1, more: undefined }
    : find;
  const search = await openSearch(options, wanted, { openPictures: pictures.open });
  const after = training(jobAfter(search, options), "training with widths of the budget");
  const { budgeted, budget, more = [], epochs } = find;
  return await dryRunText({
    options,
    kind: "search",
    facts: [[
      "search",
      `${plural(epochs, "epoch")} for ${listed([budget, ...more].map((of) => percent(of)))} of ` +
      `the ${budgetName(budgeted)}`,
    ]],
    planned: widthsOnly ? [searching(search, "search")] : [searching(search, "search"), after],
  });
}

/** As {@link dryRun}, of a comparison: its runs are of a few sizes. */
export async function dryRunOfComparison(
  { options, find, methods, pruneBy, seeds }: Pick<
    CompareRequest,
    "options" | "find" | "methods" | "pruneBy" | "seeds"
  >,
): Promise<string> {
  using pictures = await openRunPictures(options, () => {});
  const { given: _, ...inputs } = await readInputs(options, pictures.open);
  const ground = groundOn(inputs, options, { find, pruneBy });
  const plan = new Plan({ methods, seed: options.seed, seeds });
  plan.check(ground);
  const runs = plan.methods.flatMap((method) =>
    method === searched ? [searching(searchJob(ground), "search of widths")] : []
  );
  return await dryRunText({
    options,
    kind: "comparison",
    facts: [[
      "compare",
      `${plan.methods.map(({ name }) => name).join(", ")}, ${plural(seeds, "seed")}: ` +
      plural(seeds * plan.methods.length, "run"),
    ]],
    planned: [
      training(baseJob(ground), "one network"),
      training(uniformJob(ground), "both networks"),
      ...runs,
    ],
  });
}
