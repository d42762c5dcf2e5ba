// Runs whose device is lost, or has too little memory. More of the first: `deno task torture`.
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { generatedSplit } from "../data/generated.ts";
import { readArguments } from "../cli/arguments.ts";
import { EXIT, exitCode } from "../cli/exit.ts";
import { errorMessage } from "../cli/error_message.ts";
import { trainRequest } from "../cli/options.ts";
import { nullDevice } from "../kernels/gpu/null_device.ts";
import { DeviceLostError, Gpu, GpuError, OutOfMemoryError } from "../kernels/gpu.ts";
import { inParts, type Job, jobOn } from "../train/job.ts";
import { onOwnGpu } from "../train/own_gpu.ts";
import { rehearse } from "../train/rehearsal.ts";
import { MemoryKeeper } from "../train/resume/keeper.ts";
import { train } from "../train/train.ts";
import type { Reporter, RunStart } from "../train/types.ts";
import { openSmallMemory } from "./small_memory.ts";
import { faultOf, losingRun } from "./torture/lost_devices.ts";

Deno.test("a run whose device is lost comes to the same networks, bit for bit", async () => {
  const name = "adjoined";
  const straight = await losingRun(name, []);
  assertEquals(straight.epochs, [1, 2]);
  // In the first epoch, and in what is done after the last one.
  const lostAt = [3, straight.submits + 1];
  const run = await losingRun(name, lostAt);
  assertEquals(faultOf(run, straight, lostAt.length), undefined);
  const found = run.notes.filter((note) => note.startsWith("the GPU was lost"));
  assertMatch(found[0], /: device was lost; going on from the beginning with another one$/);
  assertMatch(found[1], /: device was lost; going on from the end of epoch \d with another one$/);
});

Deno.test("a search whose device is lost comes to the same networks, bit for bit", async () => {
  const straight = await losingRun("search", []);
  assertEquals(straight.epochs, [1, 2, 1, 2]);
  // In the training after it.
  const lostAt = [straight.submits - 5];
  const run = await losingRun("search", lostAt);
  assertEquals(faultOf(run, straight, lostAt.length), undefined);
});

const SPLIT = generatedSplit({ train: 8, validation: 8, size: 32, seed: 1 });

function jobOf(...flags: string[]): Job {
  const short = ["--epochs", "1", "--batch-size", "8", "--stem", "cifar", "--mode", "plain"];
  const { options } = trainRequest(readArguments("train", [...short, ...flags]));
  return jobOn({ split: SPLIT }, options);
}

/** The most memory that a run takes in so many parts. */
async function peakOf(job: Job, parts: number): Promise<number> {
  const { device } = await Gpu.open();
  const gpu = await Gpu.open({ device: nullDevice(device) });
  await rehearse(gpu, inParts(job, parts));
  device.destroy();
  return gpu.peak;
}

function listening() {
  const notes: string[] = [];
  const starts: RunStart[] = [];
  const reporter: Reporter = {
    start: (start) => void starts.push(start),
    progress: () => {},
    work: () => {},
    epoch: () => {},
    note: (text) => void notes.push(text),
  };
  return { notes, starts, reporter };
}

/** Trains on devices with so much memory, and tells how many were opened. */
async function trainedWithin(bytes: number, job: Job) {
  const { notes, starts, reporter } = listening();
  const keeper = new MemoryKeeper();
  let devices = 0;
  const result = await train(job, reporter, { keeper }, {
    open: async () => {
      devices++;
      return await Gpu.open({ device: (await openSmallMemory(bytes)).device });
    },
  });
  return { result, notes, starts, devices, state: await keeper.last() };
}

Deno.test("a batch that does not fit is computed in the fewest parts that do", async () => {
  const job = jobOf("--grad-accum-steps", "auto");
  const [whole, halves] = [await peakOf(job, 1), await peakOf(job, 2)];
  assert(whole > 1.1 * halves, `${whole} bytes, ${halves} in halves`);
  const found = await trainedWithin(halves + (whole - halves) / 4, job);
  const notes = found.notes.filter((note) => note.includes("does not fit"));
  assertEquals(notes, [
    "a batch of 8 images does not fit into the GPU's memory: it is computed in 2 parts of 4, whose " +
    "gradients are averaged",
  ]);
  // It is announced once, and its state says what it took.
  assertEquals([found.starts.length, found.devices], [1, 3]);
  assertEquals(found.state?.run.options.gradAccumSteps, "2");
  // As a run that was told to take two parts.
  const told = await trainedWithin(2 * whole, jobOf("--grad-accum-steps", "2"));
  assertEquals(told.devices, 1);
  assertEquals(found.result.files, told.result.files);
  // One that may choose, and has room, takes the batch whole.
  const roomy = await trainedWithin(2 * whole, job);
  assertEquals([roomy.devices, roomy.state?.run.options.gradAccumSteps], [1, "1"]);
});

Deno.test("a batch that does not fit is told with a batch and parts that have been tried", async () => {
  const job = jobOf();
  const [whole, halves] = [await peakOf(job, 1), await peakOf(job, 2)];
  const limit = halves + (whole - halves) / 4;
  const error = await assertRejects(() => trainedWithin(limit, job), OutOfMemoryError);
  assertMatch(
    errorMessage(error, ["train"]),
    /^Cannot allocate .*: it takes \d+ bytes, and .* gives no more than the \d+ in use .*; lower --batch-size to 4 or take --grad-accum-steps 2$/,
  );
  assert((error.asked ?? 0) + error.live > limit);
});

Deno.test("a run that went on with more parts goes on so again", async () => {
  const job = jobOf("--grad-accum-steps", "auto");
  const { state: from } = await trainedWithin(2 ** 31, inParts(job, 2));
  const parts: number[] = [];
  const course = { keeper: new MemoryKeeper(), from };
  await onOwnGpu({
    ...{ options: job.options, course, reporter: listening().reporter },
    rehearse: () => Promise.resolve(),
  }, (attempt) => Promise.resolve(parts.push(attempt.parts)));
  assertEquals(parts, [2]);
});

Deno.test("a run whose devices are all lost is given up with exit code 4 in the end", async () => {
  const { reporter, notes } = listening();
  const course = { keeper: new MemoryKeeper() };
  const rehearse = () => Promise.resolve();
  const options = jobOf().options;
  const error = await assertRejects(
    () =>
      onOwnGpu(
        { options, course, reporter, rehearse, waits: [0, 0] },
        () => Promise.reject(new DeviceLostError("no power")),
      ),
    GpuError,
    "Cannot go on: the GPU was lost 3 times without a new checkpoint",
  );
  assertEquals([exitCode(error), notes.length], [EXIT.gpu, 2]);
});
