// What keeps a run from loss, in process: states, going on from them, steps that do not count.
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { generatedSplit } from "../data/generated.ts";
import { Gpu } from "../kernels/gpu.ts";
import { readArguments } from "../cli/arguments.ts";
import { trainRequest } from "../cli/options.ts";
import { DivergedError, StoppedError } from "../train/errors.ts";
import { type Job, jobOn } from "../train/job.ts";
import { type Course, isStopped } from "../train/resume/course.ts";
import { MemoryKeeper } from "../train/resume/keeper.ts";
import type { TrainingState } from "../train/resume/training_state.ts";
import { runJob, type TrainResult } from "../train/train.ts";
import type { EpochMetrics, Reporter } from "../train/types.ts";
import { digestOfState, sha256 } from "./torture/state_digest.ts";

const SPLIT = generatedSplit({ train: 24, validation: 8, size: 12, seed: 0 });

/** A run of three epochs of three steps, of eight images each. */
const SHORT = ["--epochs", "3", "--batch-size", "8", "--stem", "authors"];

function jobOf(...flags: string[]): Job {
  const { options } = trainRequest(readArguments("train", [...SHORT, ...flags]));
  return jobOn({ split: SPLIT }, options);
}

interface Told {
  readonly reporter: Reporter;
  readonly notes: string[];
  readonly epochs: EpochMetrics[];
}

function listening(): Told {
  const notes: string[] = [];
  const epochs: EpochMetrics[] = [];
  const reporter = {
    start: () => {},
    progress: () => {},
    work: () => {},
    epoch: (metrics: EpochMetrics) => void epochs.push(metrics),
    note: (text: string) => void notes.push(text),
  };
  return { reporter, notes, epochs };
}

interface Ran {
  readonly result: TrainResult;
  readonly keeper: MemoryKeeper;
  readonly notes: readonly string[];
  readonly epochs: readonly EpochMetrics[];
}

/** One device for all runs: what it has compiled stays. */
let shared: Promise<Gpu> | undefined;

async function run(job: Job, course: Partial<Course> = {}): Promise<Ran> {
  const keeper = new MemoryKeeper();
  const { reporter, notes, epochs } = listening();
  const gpu = await (shared ??= Gpu.open());
  const result = await runJob(gpu, job, reporter, { course: { keeper, ...course } });
  return { result, keeper, notes, epochs };
}

Deno.test.afterAll(async () => (await shared)?.destroy());

/** Trains with stops after these numbers of questions whether to stop. */
async function inParts(flags: readonly string[], stops: readonly number[]): Promise<Ran> {
  let from: TrainingState | undefined;
  for (const after of stops) {
    const keeper = new MemoryKeeper();
    let asked = 0;
    const stopped = (): boolean => ++asked > after;
    await assertRejects(() => run(jobOf(...flags), { keeper, from, stopped }), StoppedError);
    from = await keeper.last();
  }
  return await run(jobOf(...flags), { from });
}

async function demandSame(flags: readonly string[], stops: readonly number[]): Promise<void> {
  const straight = await run(jobOf(...flags));
  const parts = await inParts(flags, stops);
  const [last, again] = [await straight.keeper.last(), await parts.keeper.last()];
  assert(last && again);
  assertEquals(digestOfState(again), digestOfState(last));
  for (const [name, bytes] of straight.result.files) {
    const other = parts.result.files.get(name);
    assert(other);
    assertEquals(sha256([other]), sha256([bytes]), name);
  }
}

const EVERYTHING = [
  ...["--model-ema-decay", "0.9", "--grad-accum-steps", "2", "--clip-grad", "0.5"],
  ...["--mixup", "0.4", "--augment", "crop-flip", "--checkpoint-steps", "2"],
];

Deno.test("a run that was stopped twice goes on bit by bit", () => demandSame([], [1, 3]));

Deno.test("so does one with an average, accumulation, clipping and mixup", () =>
  demandSame([...EVERYTHING, "--opt", "sgd"], [2, 4]));

Deno.test("so does one of several small networks, of which a step trains some", () =>
  demandSame(["--compression", "2,4,8", "--sandwich", "2", "--checkpoint-steps", "1"], [1, 3]));

Deno.test("a run that is stopped before its last validation ends in the same state", () =>
  demandSame(["--epochs", "1", "--clip-grad", "0.5", "--checkpoint-steps", "1"], [2]));

Deno.test("the average of the weights moves by its decay, from the first weights on", async () => {
  const flags = ["--sched", "constant", "--lr", "0.01", "--checkpoint-steps", "1"];
  const states: TrainingState[] = [];
  const keeper = new MemoryKeeper();
  const { save } = keeper;
  keeper.save = (state, as) => {
    states.push(state);
    return save.call(keeper, state, as);
  };
  await run(jobOf(...flags, "--model-ema-decay", "0.3"), { keeper });
  // The state at the end of an epoch is that of its last step.
  assertEquals(states.length, 1 + 3 * 3);
  for (
    const [group, average] of [
      ["parameters", "average"],
      ["statistics", "average statistics"],
    ]
  ) {
    for (const name of states[0].tensors.keys()) {
      if (!name.startsWith(`${group}/`)) continue;
      const own = name.slice(group.length + 1);
      const expected = Float64Array.from(states[0].tensors.get(name) ?? []);
      states.slice(1).forEach(({ tensors }, i) => {
        const decay = Math.min(0.3, (2 + i) / (11 + i));
        const values = tensors.get(name) ?? [];
        const found = tensors.get(`${average}/${own}`) ?? [];
        let worst = 0;
        expected.forEach((before, k) => {
          expected[k] = decay * before + (1 - decay) * values[k];
          worst = Math.max(worst, Math.abs(expected[k] - found[k]) / (1 + Math.abs(expected[k])));
        });
        assert(worst < 1e-5, `${name} differs by ${worst} after step ${i + 1}`);
      });
    }
  }
});

/** The state after the first step, whose velocity is the gradient. */
async function firstState(...flags: string[]): Promise<TrainingState | undefined> {
  const base = [
    "--opt",
    "sgd",
    "--weight-decay",
    "0",
    "--momentum",
    "0",
    "--checkpoint-steps",
    "1",
  ];
  const keeper = new MemoryKeeper();
  await assertRejects(
    () => run(jobOf(...base, "--sched", "constant", ...flags), { keeper, stopped: () => true }),
    StoppedError,
  );
  const state = await keeper.last();
  assertEquals(state?.position, { epoch: 0, step: 1 });
  return state;
}

/** The velocity of a state, but of the parameters that are left out. */
function gradientsOf(state?: TrainingState, leftOut = /^$/): Float32Array {
  const names = [...state?.tensors ?? []].filter(([name]) =>
    name.startsWith("velocity/") && !leftOut.test(name)
  );
  return Float32Array.from(names.flatMap(([, values]) => Array.from(values)));
}

function norm(values: Float32Array): number {
  return Math.sqrt(values.reduce((sum, x) => sum + x * x, 0));
}

Deno.test("--clip-grad scales all gradients down to the norm, and smaller ones not", async () => {
  const whole = gradientsOf(await firstState());
  const half = gradientsOf(await firstState("--clip-grad", String(norm(whole) / 2)));
  assert(Math.abs(norm(half) / norm(whole) - 0.5) < 1e-4);
  const error = 1e-5 * norm(whole);
  assert(whole.every((x, i) => Math.abs(half[i] - x / 2) <= error));
  const large = gradientsOf(await firstState("--clip-grad", String(norm(whole) * 2)));
  assert(large.every((x, i) => x === whole[i]));
});

Deno.test("a batch in parts gives the mean of the gradients of its parts", async () => {
  // Each part has the batch statistics of its own images: as two batches of half the size.
  // The last norms of blocks begin at 0: the least update opens ReLUs behind them.
  const both = gradientsOf(await firstState("--grad-accum-steps", "2"), /\.bn2\./);
  const first = gradientsOf(await firstState("--batch-size", "4"), /\.bn2\./);
  assert(Math.abs(norm(both) - norm(first)) > 1e-4 * norm(both));
  const keeper = new MemoryKeeper();
  let asked = 0;
  const flags = ["--opt", "sgd", "--weight-decay", "0", "--momentum", "0", "--lr", "1e-30"];
  await assertRejects(
    () =>
      run(jobOf(...flags, "--sched", "constant", "--batch-size", "4", "--checkpoint-steps", "1"), {
        keeper,
        stopped: () => ++asked > 1,
      }),
    StoppedError,
  );
  const state = await keeper.last();
  const second = gradientsOf(state, /\.bn2\./);
  const worst = both.reduce(
    (most, x, i) => Math.max(most, Math.abs(x - (first[i] + second[i]) / 2)),
    0,
  );
  assert(worst <= 1e-5 * norm(both), `differs by ${worst} of ${norm(both)}`);
});

Deno.test("a batch that cannot be split into equal parts is refused", () => {
  assertMatch(
    String(assertThrowsOf(() => jobOf("--grad-accum-steps", "3"))),
    /Cannot split a batch of 8 images into 3 parts of as many each; choose gradAccumSteps so that it/,
  );
});

function assertThrowsOf(f: () => unknown): unknown {
  try {
    f();
  } catch (error) {
    return error;
  }
}

Deno.test("--select best takes the networks of the best epoch, and says so", async () => {
  // The learning rate of the last epochs spoils what was learned.
  const flags = ["--mode", "plain", "--sched", "constant", "--lr", "0.4", "--opt", "sgd"];
  const ran = await run(jobOf(...flags, "--epochs", "6", "--select", "best"));
  const top1 = ran.epochs.map(({ validation }) => validation.base?.top1 ?? 0);
  const best = Math.max(...top1);
  assertEquals(ran.result.summary.base?.top1, best);
  const chosen = ran.epochs.findIndex(({ validation }) => validation.base?.top1 === best) + 1;
  if (chosen < 6) {
    assert(
      ran.notes.includes(`taking the networks of epoch ${chosen}, the best of the base network`),
    );
  }
});

Deno.test("--patience stops a run that gets no better, and a stopped run stops alike", async () => {
  const flags = ["--sched", "constant", "--lr", "1e-12", "--epochs", "40", "--patience", "2"];
  const ran = await run(jobOf(...flags));
  const top1 = ran.epochs.map(({ validation }) => validation.small?.top1 ?? 0);
  const { length } = top1;
  assertEquals(ran.result.summary.epochs, length);
  assert(length < 40);
  const before = Math.max(...top1.slice(0, -2));
  assert(top1.slice(-2).every((last) => last <= before));
  const best = top1.indexOf(before) + 1;
  assertEquals(best, length - 2);
  assertEquals(
    ran.notes.at(-1),
    `stopping after epoch ${length}: the small network was never better than after epoch ${best}, ` +
      "2 epochs ago",
  );
  const again = await run(jobOf(...flags), { from: await ran.keeper.last() });
  assertEquals([again.epochs.length, again.result.summary.epochs], [0, length]);
});

Deno.test("a run that diverges goes back twice at half the rate, then ends", async () => {
  const notes: string[] = [];
  const keeper = new MemoryKeeper();
  const gpu = await (shared ??= Gpu.open());
  const reporter = { ...listening().reporter, note: (text: string) => void notes.push(text) };
  const job = jobOf("--sched", "constant", "--opt", "sgd", "--lr", "1e30");
  const { message } = await assertRejects(
    () => runJob(gpu, job, reporter, { course: { keeper } }),
    DivergedError,
  );
  assertMatch(message, /^Cannot go on: .*; lower lr \(found 1e\+30\)/);
  const back = notes.filter((note) => note.includes("going back"));
  assertEquals(back.length, 2);
  assertMatch(
    back[1],
    /going back to the beginning of epoch 1, with half the learning rate: lr 2\.5e\+29/,
  );
  const state = await keeper.last();
  for (const [name, values] of state?.tensors ?? []) {
    assert(Array.from(values).every(Number.isFinite), name);
  }
});

Deno.test("isStopped asks the course", () => {
  const keeper = new MemoryKeeper();
  assertEquals([isStopped({ keeper }), isStopped({ keeper, stopped: () => true })], [false, true]);
});
