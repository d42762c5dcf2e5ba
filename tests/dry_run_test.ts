import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { Gpu, GpuError } from "../kernels/gpu.ts";
import { nullDevice } from "../kernels/gpu/null_device.ts";
import { readArguments } from "../cli/arguments.ts";
import { errorMessage } from "../cli/error_message.ts";
import { TrainingBatches } from "../data/batches.ts";
import { generatedSplit } from "../data/generated.ts";
import { UsageError } from "../train/errors.ts";
import { firstBatchFacts } from "../cli/report/first_batch.ts";
import { dryRun, dryRunOfComparison, dryRunOfSearch } from "../cli/report/dry_run.ts";
import { type MemoryPlan, memoryTable, planMemory, totalUse } from "../cli/report/memory_plan.ts";
import { EXIT } from "../cli/exit.ts";
import { openJob } from "../cli/run/open_run.ts";
import { type Job } from "../train/job.ts";
import { compareRequest, searchRequest, trainRequest } from "../cli/options.ts";
import { grouped } from "../cli/text.ts";
import { runJob, type TrainResult } from "../train/train.ts";
import { adjoinCommand } from "./command.ts";
import { lacks } from "./permissions.ts";
import { SILENT } from "../train/silent.ts";

const TINY = ["--epochs", "1", "--train-size", "16", "--val-size", "10", "--batch-size", "4"];

function job(...args: string[]): Promise<Job> {
  return openJob(trainRequest(readArguments("train", [...TINY, ...args])).options);
}

/** Opens the default adapter; tiles, which a run would time first, are left out. */
async function open(device?: GPUDevice): Promise<Gpu> {
  const { device: opened, preset } = await Gpu.open({ device });
  return await Gpu.open({
    device: opened,
    preset: { ...preset, convolution: { ...preset.convolution, tiles: undefined } },
  });
}

/** Plans on a device that is destroyed before: nothing of it can be used. */
async function planned(job: Job, device?: GPUDevice): Promise<MemoryPlan> {
  const gpu = await open(device);
  gpu.device.destroy();
  return await planMemory(await open(nullDevice(gpu.device)), job);
}

/** What a run has while it trains, and at most. */
async function taken(job: Job): Promise<{ training: number; peak: number; result: TrainResult }> {
  const gpu = await open();
  try {
    let training = 0;
    const epoch = () => void (training = gpu.live().bytes);
    const result = await runJob(gpu, job, { ...SILENT, epoch });
    return { training, peak: gpu.peak, result };
  } finally {
    gpu.destroy();
    gpu.device.destroy();
  }
}

async function demandExact(job: Job): Promise<TrainResult> {
  const plan = await planned(job);
  const { training, peak, result } = await taken(job);
  const { bytes, least } = totalUse("all", plan.uses);
  assertEquals(bytes, training);
  assertEquals(plan.peak, peak);
  assert(least < bytes && bytes <= peak, `${least} < ${bytes} <= ${peak}`);
  const table = memoryTable(plan).join("\n");
  assertMatch(table, new RegExp(`^all while training +${grouped(training)} `, "m"));
  assertMatch(table, new RegExp(`^peak of the run +${grouped(peak)}$`, "m"));
  return result;
}

Deno.test("a dry run plans the very bytes that an adjoined run takes", async () => {
  await demandExact(await job("--trunk", "separate", "--mask-from", "1"));
});

Deno.test("a dry run plans the very bytes that a plain run takes", async () => {
  await demandExact(await job("--mode", "plain", "--opt", "sgd"));
});

Deno.test(
  "a dry run plans the very bytes that a distillation takes",
  { ignore: lacks("read", "write") },
  async () => {
    const path = await Deno.makeTempFile({ suffix: ".safetensors" });
    try {
      const { result: { files } } = await taken(await job("--mode", "plain"));
      await Deno.writeFile(path, files.get("base.safetensors")!);
      await demandExact(await job("--mode", "distill", "--teacher", path));
    } finally {
      await Deno.remove(path);
    }
  },
);

Deno.test("a dry run raises the run's error for memory beyond the limits", async () => {
  const adapter = await navigator.gpu.requestAdapter();
  // The default limits: 2 ** 27 bytes to a binding, and 16 channels of 2049 images are more.
  const device = await adapter!.requestDevice();
  const count = "2049";
  const large = await job(
    ...["--batch-size", count, "--train-size", count, "--stem", "cifar", "--mode", "plain"],
  );
  const gpu = await Gpu.open({ device });
  const wanted = await assertRejects(() => runJob(gpu, large, SILENT), GpuError);
  assertStringIncludes(wanted.message, "it takes 134283264 bytes, the limit of");
  const error = await assertRejects(() => planned(large, device), GpuError);
  assertEquals(error.message, wanted.message);
});

Deno.test("a dry run takes as few parts as fit, or says what would fit", async () => {
  const adapter = await navigator.gpu.requestAdapter();
  const device = await adapter!.requestDevice();
  const requestDevice = () => Promise.resolve(device);
  const small = Object.create(adapter, {
    info: { value: adapter!.info },
    limits: { value: device.limits },
    features: { value: device.features },
    requestDevice: { value: requestDevice },
  });
  Object.defineProperty(navigator.gpu, "requestAdapter", {
    value: () => Promise.resolve(small),
    configurable: true,
  });
  try {
    // 2 ** 27 bytes to a binding, and 16 channels of 2052 images are more.
    const plan = (...flags: string[]) => {
      const sizes = ["--batch-size", "2052", "--train-size", "2052", "--mode", "plain"];
      const args = readArguments("train", [...TINY, ...sizes, "--stem", "cifar", ...flags]);
      return dryRun(trainRequest(args).options);
    };
    const text = await plan("--grad-accum-steps", "auto");
    assertStringIncludes(
      text,
      "\na batch of 2052 images does not fit into the GPU's memory: it is computed in 2 parts of " +
        "1026, whose gradients are averaged\n\n",
    );
    const error = await assertRejects(() => plan(), GpuError);
    assertMatch(
      errorMessage(error, ["train"]),
      /; lower --batch-size to 1026 or take --grad-accum-steps 2$/,
    );
  } finally {
    Reflect.deleteProperty(navigator.gpu, "requestAdapter");
  }
});

Deno.test("a dry run tells the first batch: its images, classes and pixels", async () => {
  const facts = Object.fromEntries(await firstBatchFacts(await job("--seed", "3")));
  const { train } = generatedSplit({ train: 16, validation: 10, size: 32, seed: 3 });
  const batches = new TrainingBatches({ dataset: train, batch: 4, seed: 3 });
  const [{ pixels, labels }] = batches.epoch(0);
  const mean = (channel: number): string => {
    const own = pixels.filter((_, i) => i % 3 === channel);
    return (own.reduce((sum, value) => sum + value, 0) / own.length).toFixed(1);
  };
  const named = [...new Set(labels)].map((label) =>
    `${train.classes[label]} ${labels.filter((other) => other === label).length}`
  );
  assertEquals(facts["first batch"], "4 images of 32x32 pixels, 3 channels");
  assertEquals(facts.classes.split(", ").toSorted(), named.toSorted());
  assertEquals(facts.mean, `${mean(0)} ${mean(1)} ${mean(2)} of 255, before augmentation`);
});

Deno.test("a dry run of a search plans the search, and the training after it", async () => {
  const sizes = "--train-size 16 --val-size 10 --batch-size 4 ";
  const plan = (line: string): Promise<string> => {
    const args = `${sizes}${line}`.split(" ");
    return dryRunOfSearch(searchRequest(readArguments("search", args)));
  };
  const text = await plan("--epochs 1 --budget-params 0.5,0.7 --search-epochs 2");
  assertStringIncludes(text, "\nrun          1 epoch, batch 4, ");
  assertMatch(text, /\nsearch +2 epochs for 50.0 % and 70.0 % of the parameters\n/);
  assertMatch(
    text,
    /\n\nsearch:\nGPU memory [^]*\n\ntraining with widths of the budget:\nGPU memory/,
  );
  // A latency is not measured for it.
  const alone = await plan("--budget-latency 0.5 --widths-only");
  assertStringIncludes(alone, " for 50.0 % of the latency\n");
  assert(!alone.includes("training with"), alone);
});

Deno.test("a dry run of a comparison plans its runs by size", async () => {
  const line = "--budget-params 0.5 --methods alone,searched --seeds 2";
  const request = compareRequest(readArguments("compare", [...TINY, ...line.split(" ")]));
  const text = await dryRunOfComparison(request);
  assertMatch(text, /\ncompare +alone, searched, 2 seeds: 4 runs\n/);
  const peaks = [...text.matchAll(/^([\w ]+):$[^]*?^peak of the run +([\d,]+)$/gm)];
  assertEquals(peaks.map(([, what]) => what), ["one network", "both networks", "search of widths"]);
  const [one, both, search] = peaks.map(([, , bytes]) => Number(bytes.replaceAll(",", "")));
  assert(one < both && both < search, text);
  const impossible = compareRequest(readArguments("compare", [...TINY, "--budget-macs", "0.1"]));
  await assertRejects(() => dryRunOfComparison(impossible), UsageError, "Cannot meet the budget");
});

Deno.test(
  "train --dry-run prints the plan, and leaves nothing behind",
  { ignore: lacks("read", "write", "run", "env") },
  async () => {
    const dir = await Deno.makeTempDir();
    try {
      const args = ["train", ...TINY, "--output", `${dir}/run`, "--dry-run"];
      const { code, out, error } = await adjoinCommand(args);
      assertEquals(code, EXIT.ok, error);
      assertMatch(out, /^adapter .*\nmodel +resnet8, adjoined, batch 4 of 32x32 pixels\ndata +/);
      assertMatch(out, /\nall while training +[\d,]+ +[\d,]+\npeak of the run +[\d,]+\n/);
      assertEquals([...Deno.readDirSync(dir)], []);
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  },
);
