// What takes long tells how far it is, from its start to its end.
import { assert, assertEquals, assertRejects } from "@std/assert";
import { readArguments } from "../cli/arguments.ts";
import { evaluate } from "../cli/evaluate.ts";
import { exportNetwork } from "../cli/export.ts";
import { trainRequest } from "../cli/options.ts";
import { runConfig } from "../cli/run/run_config.ts";
import { Gpu } from "../kernels/gpu.ts";
import { openJob } from "../cli/run/open_run.ts";
import { DivergedError } from "../train/errors.ts";
import { runJob } from "../train/train.ts";
import type { Progress, Reporter, Work } from "../train/types.ts";
import { withFolder } from "./folder.ts";
import { lacks } from "./permissions.ts";

/** A reporter that keeps what it is told. */
class Recorder implements Reporter {
  readonly works: Work[] = [];
  readonly steps: Progress[] = [];
  readonly notes: string[] = [];

  start(): void {}
  epoch(): void {}
  progress(progress: Progress): void {
    this.steps.push(progress);
  }
  work(work: Work): void {
    this.works.push(work);
  }
  note(text: string): void {
    this.notes.push(text);
  }

  /** Each piece of work from its first report to its last: "validation of epoch 1: 0 to 20 of 20". */
  get spans(): string[] {
    const spans: Work[][] = [];
    for (const work of this.works) {
      const last = spans.at(-1);
      if (last && last[0].what === work.what && last[0].epoch === work.epoch) last.push(work);
      else spans.push([work]);
    }
    return spans.map((span) => {
      const [{ what, epoch, done, total }, last] = [span[0], span[span.length - 1]];
      const when = epoch === undefined ? "" : ` of epoch ${epoch}`;
      return `${what}${when}: ${done} to ${last.done} of ${total}`;
    });
  }
}

const FLAGS = [
  ...["--train-size", "48", "--val-size", "20", "--batch-size", "8", "--epochs", "2"],
  ...["--model", "resnet8", "--stem", "cifar"],
];

Deno.test("a run, export and eval tell how far they are", {
  ignore: lacks("read", "write", "env"),
}, () =>
  withFolder(async (dir) => {
    const { options } = trainRequest(readArguments("train", FLAGS));
    const job = await openJob(options);
    const gpu = await Gpu.open();
    try {
      const told = new Recorder();
      const { files, summary } = await runJob(gpu, job, told);
      assertEquals(told.spans, [
        "validation of epoch 1: 0 to 20 of 20",
        "validation of epoch 2: 0 to 20 of 20",
        "verification: 0 to 20 of 20",
      ]);
      assertEquals(told.notes.at(-1), "compiling kernels: the first step takes some seconds");
      // Before the last training step is done, all that follows it is known.
      assert(told.steps.every(({ etaSeconds }) => etaSeconds > 0));
      const times = told.works.map(({ etaSeconds }) => etaSeconds);
      assert(times.every((time) => time !== undefined && time >= 0), `${times}`);
      // During the verification nothing else is left; at its end nothing at all.
      assert(Number(times.at(-2)) > 0, `${times}`);
      assertEquals(times.at(-1), 0);

      for (const [name, bytes] of files) await Deno.writeFile(`${dir}/${name}`, bytes);
      await Deno.writeTextFile(`${dir}/config.json`, runConfig(options, { output: dir }));
      await Deno.writeTextFile(`${dir}/summary.json`, JSON.stringify(summary));

      // A distillation that diverges asks whether its teacher is the reason.
      const taught = new Recorder();
      const distilled = { ...options, mode: "distill", which: "small", lr: 1e30 } as const;
      const distilling = await openJob({ ...distilled, teacher: dir });
      await assertRejects(() => runJob(gpu, distilling, taught), DivergedError);
      assertEquals(taught.spans.at(-1), "evaluating the teacher: 0 to 48 of 48");
    } finally {
      gpu.destroy();
    }
    const exported = new Recorder();
    const request = { run: dir, includeNormalization: false, overwrite: false } as const;
    await exportNetwork({ ...request, format: "onnx" }, exported);
    assertEquals(exported.spans, [
      "verification: 0 to 20 of 20",
      "timing single images: 0 to 20 of 20",
    ]);
    for (const file of ["small.safetensors", "small.onnx"]) {
      const evaluated = new Recorder();
      const images = { dataset: "generated", seed: 0, valSize: 20, batchSize: 8 } as const;
      await evaluate({ file: `${dir}/${file}`, ...images }, evaluated);
      assertEquals(evaluated.spans, ["evaluation: 0 to 20 of 20"]);
      assertEquals(evaluated.works[0].etaSeconds, undefined);
    }
  }));
