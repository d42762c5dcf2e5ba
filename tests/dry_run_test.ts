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
import { dryRun, type MemoryPlan, memoryTable, planMemory } from "../cli/report/dry_run.ts";
import { EXIT } from "../cli/exit.ts";
import { openJob } from "../cli/run/open_run.ts";
import { type Job } from "../train/job.ts";
import { totalUse } from "../cli/report/dry_run.ts";
import { trainRequest } from "../cli/options.ts";
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
        "1026, as with --grad-accum-steps 2\n\n",
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

Deno.test(
  "train --dry-run prints the plan, and leaves nothing behind",
  { ignore: lacks("read", "write", "run", "env") },
  async () => {
    const dir = await Deno.makeTempDir();
    try {
      const args = ["train", ...TINY, "--output", `${dir}/run`, "--dry-run"];
      const { code, out, error } = await adjoinCommand(args);
      assertEquals(code, EXIT.ok, error);
      assertMatch(out, /^adapter .*\nmodel +resnet8, adjoined, batch 4 of 32x32 pixels\n\n/);
      assertMatch(out, /\nall while training +[\d,]+ +[\d,]+\npeak of the run +[\d,]+\n/);
      assertEquals([...Deno.readDirSync(dir)], []);
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  },
);
