// Takes 10,000 steps in a process of its own, and prints how its memory has grown, by the median of
// what it grows in a thousand of them.
// deno run --v8-flags=--expose-gc tests/endured_steps.ts
import { TrainingBatches } from "../data/batches.ts";
import { generatedSplit } from "../data/generated.ts";
import { Random } from "../data/random.ts";
import { Gpu } from "../kernels/gpu.ts";
import { SOFTWARE } from "../kernels/preset.ts";
import { network } from "../nn/network.ts";
import { initialize, networkSpecs } from "../nn/state.ts";
import { Learner } from "../train/learner.ts";
import { TrainingStep } from "../train/step.ts";

const STEPS = 10_000;
const WARM = 1_000;
/** Steps between two waits for the GPU; divides both of the above. */
const PACE = 250;
const MEGABYTE = 2 ** 20;
const SIZE = 12;

/** What takes longest is to begin a command: this has few, and texture copies would make passes of them. */
const tiny = network({ channels: 3 }, (n) => {
  n.linear(n.globalAvgPool2d(n.image), { name: "fc", out: 10 });
});
const preset = { ...SOFTWARE, loads: "buffer" } as const;

/** Encoders and passes keep native memory until their wrappers are collected, which is put off. */
declare function gc(): void;

const { train, normalization } = generatedSplit({
  train: 2 * PACE,
  validation: 1,
  size: SIZE,
  seed: 0,
});
const specs = networkSpecs(tiny);
const random = new Random(0, "initial weights");
const gpu = await Gpu.open({ preset });
try {
  using scope = gpu.scope();
  const learner = new Learner(scope, {
    specs,
    state: initialize(specs, tiny, () => random.normal()),
    optimizer: { name: "sgd", weightDecay: 0, nesterov: false },
  });
  const image = { height: SIZE, width: SIZE };
  const step = await TrainingStep.trace(scope, {
    objective: { mode: "plain", which: "base", network: tiny },
    learner,
    feed: { dataset: train, normalization, batch: 2, image },
    labelSmoothing: 0,
  });
  const batches = new TrainingBatches({ dataset: train, batch: 2, seed: 0 });
  const live = gpu.live();
  const looks: number[] = [];
  for (let done = 0; done < STEPS;) {
    for (const batch of batches.epoch(done / PACE)) {
      step.run(batch, { lr: 1e-3, momentum: 0.9, lambda: 1 });
    }
    done += PACE;
    await gpu.idle();
    if (done % WARM > 0) continue;
    gc();
    looks.push(Deno.memoryUsage().rss / MEGABYTE);
  }
  // An allocator takes some megabytes at once now and then; what leaks grows from look to look.
  const growth = looks.slice(1).map((megabytes, i) => megabytes - looks[i]).sort((a, b) => a - b);
  const grown = growth[growth.length >> 1] * growth.length;
  const { buffers, bytes } = gpu.live();
  const { loss } = await step.read();
  console.log(JSON.stringify({
    grown,
    left: [buffers - live.buffers, bytes - live.bytes],
    batches: batches.length,
    loss,
  }));
} finally {
  gpu.destroy();
}
