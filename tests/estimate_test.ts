import { assertAlmostEquals, assertEquals } from "@std/assert";
import { readArguments } from "../cli/arguments.ts";
import { trainRequest } from "../cli/options.ts";
import { macsTogether } from "../nn/compress/macs_together.ts";
import { count } from "../nn/count.ts";
import { Estimate, type Workload } from "../train/estimate.ts";
import { ImageWork } from "../train/image_work.ts";
import { openJob } from "../cli/run/open_run.ts";
import { Pace } from "../train/pace.ts";
import type { Work } from "../train/types.ts";
import { workloads } from "../train/workloads.ts";

const WORKS: readonly Workload[] = [
  { stage: "training", images: 1000, macs: 30 },
  { stage: "validation", images: 200, macs: 10 },
  { stage: "verification", images: 100, macs: 20 },
];

Deno.test("nothing is known of the time before anything was timed", () => {
  const estimate = new Estimate();
  assertEquals(estimate.seconds, 0);
  estimate.start(WORKS);
  assertEquals(estimate.seconds, NaN);
  // The step that compiles is done, and tells nothing.
  estimate.did("training", 100);
  assertEquals(estimate.seconds, NaN);
});

Deno.test("validation and verification count before there was one, by their work", () => {
  const estimate = new Estimate();
  estimate.start(WORKS);
  estimate.did("training", 100);
  estimate.did("training", 100, 3);
  // 1 ms for one multiply-accumulate: 800 images of 30 are left, 200 of 10, 100 of 20.
  assertAlmostEquals(estimate.seconds, 24 + 2 + 2);
  // What was timed goes on at its own pace: 100 images of 10 took 4 s, so those of 20 take 8 s.
  estimate.did("validation", 100, 4);
  assertAlmostEquals(estimate.seconds, 24 + 4 + 8);
  estimate.did("training", 800, 40);
  estimate.did("validation", 100, 4);
  estimate.did("verification", 50, 1);
  assertAlmostEquals(estimate.seconds, 1);
  estimate.did("verification", 50, 1);
  assertEquals(estimate.seconds, 0);
});

Deno.test("runs that follow go at the pace of the runs before", () => {
  const estimate = new Estimate();
  estimate.later = [{ stage: "training", images: 10, macs: 30 }];
  estimate.start([{ stage: "training", images: 10, macs: 15 }]);
  estimate.did("training", 5, 5);
  assertAlmostEquals(estimate.seconds, 5 + 20);
  estimate.did("training", 5, 5);
  const [next] = estimate.later;
  estimate.later = [];
  estimate.start([next]);
  assertAlmostEquals(estimate.seconds, 20);
});

Deno.test("runs go at the pace of one of their name, where there was one", () => {
  const estimate = new Estimate();
  const work = (of: string): Workload => ({ stage: "training", images: 10, macs: 10, of });
  estimate.of = "slow";
  estimate.start([work("slow")]);
  estimate.did("training", 10, 100);
  estimate.of = "fast";
  estimate.start([work("fast")]);
  estimate.did("training", 10, 10);
  // One that has not been goes at the last pace.
  estimate.later = [work("slow"), work("fast"), work("other")];
  assertAlmostEquals(estimate.seconds, 100 + 10 + 10);
  estimate.of = "slow";
  estimate.later = [];
  estimate.start([work("slow")]);
  assertAlmostEquals(estimate.seconds, 100);
});

Deno.test("the work of a run is that of its networks and images", async () => {
  const flags = ["--train-size", "70", "--val-size", "30", "--batch-size", "16", "--epochs", "3"];
  const { options } = trainRequest(readArguments("train", flags));
  const job = await openJob(options);
  const { base, small } = job.adjoined;
  const { train } = job.split;
  const both = macsTogether(job.adjoined, train);
  assertEquals(workloads(job), [
    // 4 steps of 16 images.
    { stage: "training", images: 3 * 64, macs: 3 * both },
    { stage: "validation", images: 3 * 30, macs: both },
    { stage: "verification", images: 30, macs: both + count(small, train).macs },
  ]);
  // The base network is verified with all small ones at once.
  const several = await openJob({ ...options, compression: [2, 4] });
  const own = several.pairs.reduce((sum, { small }) => sum + count(small, train).macs, 0);
  assertEquals(workloads(several).at(-1), {
    stage: "verification",
    images: 30,
    macs: macsTogether(several.pairs, train) + own,
  });
  const plain = await openJob({ ...options, mode: "plain", which: "small" });
  const { macs } = count(small, train);
  assertEquals(workloads(plain).map((work) => work.macs), [3 * macs, macs]);
  // A teacher runs forward only.
  const taught = workloads({ ...plain, teacher: { network: base } });
  assertEquals(taught.map((work) => work.macs), [3 * macs + count(base, train).macs, macs]);
});

/** A clock that is set by hand, in milliseconds. */
function clock(): { now: number; read: () => number } {
  const found = { now: 0, read: () => found.now };
  return found;
}

Deno.test("waits are about a second apart, however long a step takes", () => {
  for (const milliseconds of [1, 5, 100, 400, 3000]) {
    const time = clock();
    const pace = new Pace({ now: time.read });
    const waits: number[] = [];
    for (let step = 1; step <= 5000; step++) {
      time.now += milliseconds;
      if (!pace.due()) continue;
      waits.push(step);
      pace.waited();
    }
    // The first step tells how long one takes.
    assertEquals(waits[0], 1);
    assertEquals(waits[2] - waits[1], Math.max(1, Math.round(1000 / milliseconds)));
  }
  const time = clock();
  const pace = new Pace({ most: 64, now: time.read });
  let waits = 0;
  for (let step = 0; step < 641; step++) {
    time.now += 1;
    if (!pace.due()) continue;
    waits++;
    pace.waited();
  }
  assertEquals(waits, 11);
});

Deno.test("work on images tells how far it is and what is left of the run", () => {
  const time = clock();
  const told: Work[] = [];
  const estimate = new Estimate();
  estimate.start([{ stage: "validation", images: 40, macs: 1 }]);
  const work = new ImageWork({
    work: { what: "validation", total: 40, epoch: 1, epochs: 2 },
    reporter: { work: (work) => told.push(work) },
    estimate: { of: estimate, stage: "validation" },
    now: time.read,
  });
  for (let batch = 0; batch < 4; batch++) {
    time.now += 600;
    if (work.sent(10)) work.waited();
  }
  work.ended();
  const same = { what: "validation", total: 40, unit: "images", epoch: 1, epochs: 2 };
  const times = [NaN, 1.8, 0.6, 0];
  assertEquals(
    told.map(({ etaSeconds: _, ...rest }) => rest),
    [0, 10, 30, 40].map((done) => ({ ...same, done })),
  );
  told.forEach(({ etaSeconds = -1 }, i) => assertAlmostEquals(etaSeconds, times[i]));
});
