// What the authors' recipes cost on cards, computed from steps that were measured on one of them
// (BENCHMARKS.md) and from the memory of a step, as traced: nothing is run.
//   deno task bench cost
import { helped } from "./helped.ts";
import { generatedSplit } from "../data/generated.ts";
import { Gpu } from "../kernels/gpu.ts";
import { nullDevice } from "../kernels/gpu/null_device.ts";
import { typicalAdapter } from "../kernels/gpu/typical_adapter.ts";
import { GPU } from "../kernels/preset.ts";
import { adjoin } from "../nn/compress/adjoin.ts";
import { adjoinedSpecs } from "../nn/compress/adjoined_state.ts";
import { model, type Stem } from "../nn/families/mod.ts";
import { initialize } from "../nn/state.ts";
import { Learner } from "../train/learner.ts";
import { TrainingStep } from "../train/step.ts";
import { markdownTable } from "./cells.ts";

/** A training whose step was measured, both networks at compression 4. */
interface Training {
  readonly name: string;
  readonly model: string;
  readonly stem?: Stem;
  readonly classes: number;
  readonly size: number;
  readonly batch: number;
  readonly images: number;
  readonly epochs: number;
  /** Milliseconds of a step on {@link MEASURED_ON}. */
  readonly ms: number;
}

const TRAININGS: readonly Training[] = [
  {
    name: "ImageNet, ResNet-50, 60 epochs at 224 pixels, batches of 64",
    ...{ model: "resnet50", classes: 1000, size: 224, batch: 64 },
    ...{ images: 1_281_167, epochs: 60, ms: 76.1 },
  },
  {
    name: "CIFAR-100, ResNet-18, 150 epochs at 32 pixels, batches of 256",
    ...{ model: "resnet18", stem: "cifar", classes: 100, size: 32, batch: 256 },
    ...{ images: 50_000, epochs: 150, ms: 25.7 },
  },
];

/** A card, as its maker gives it: float32 without matrix units, memory's speed and size. */
interface Card {
  readonly name: string;
  /** TFLOP/s. */
  readonly arithmetic: number;
  /** TB/s. */
  readonly bandwidth: number;
  /** GB. */
  readonly memory: number;
}

const MEASURED_ON: Card = { name: "NVIDIA H200", arithmetic: 67, bandwidth: 4.8, memory: 141 };

const CARDS: readonly Card[] = [
  MEASURED_ON,
  { name: "NVIDIA A100 SXM, 80 GB", arithmetic: 19.5, bandwidth: 2.04, memory: 80 },
  { name: "NVIDIA RTX 4090", arithmetic: 82.6, bandwidth: 1.01, memory: 24 },
  { name: "NVIDIA RTX 3060", arithmetic: 12.7, bandwidth: 0.36, memory: 12 },
  { name: "NVIDIA T4", arithmetic: 8.1, bandwidth: 0.32, memory: 16 },
];

/** Images of a batch that fit into a device with the usual limits are enough to see what each takes. */
const PROBES = [4, 8] as const;

/** Bytes on the GPU while a step of so many images runs. */
async function bytesOf(
  { model: name, stem, classes, size }: Training,
  batch: number,
): Promise<number> {
  const device = nullDevice(typicalAdapter("gpu"));
  const gpu = await Gpu.open({ device, preset: GPU });
  using scope = gpu.scope();
  const adjoined = adjoin(model(name, { classes, stem }), { compression: 4 });
  const specs = adjoinedSpecs(adjoined);
  const learner = new Learner(scope, {
    specs,
    state: initialize(specs, adjoined.base, () => 0),
    optimizer: { name: "adamw", weightDecay: 1e-2, beta2: 0.99, eps: 1e-6 },
  });
  const { train, normalization } = generatedSplit({ train: batch, validation: 1, size, seed: 0 });
  const dataset = { ...train, classes: Array.from({ length: classes }, (_, i) => `${i}`) };
  await TrainingStep.trace(scope, {
    objective: { mode: "adjoined", adjoined, detach: false },
    learner,
    feed: { dataset, normalization, batch, image: { height: size, width: size } },
    labelSmoothing: 0,
  });
  return gpu.live().bytes;
}

/** Bytes of a step: what it takes at all, and what each image adds. */
async function memoryOf(training: Training): Promise<number> {
  const [few, more] = await Promise.all(PROBES.map((batch) => bytesOf(training, batch)));
  const each = (more - few) / (PROBES[1] - PROBES[0]);
  return few + each * (training.batch - PROBES[0]);
}

const hours = (value: number): string => value.toPrecision(value < 100 ? 2 : 3);

/** Between a step bound by arithmetic alone and one bound by memory alone. */
function hoursOn(card: Card, measured: number): string {
  const ratios = [
    MEASURED_ON.arithmetic / card.arithmetic,
    MEASURED_ON.bandwidth / card.bandwidth,
  ].toSorted((a, b) => a - b);
  const [least, most] = ratios.map((ratio) => hours(measured * ratio));
  return least === most ? `${least} h` : `${least} to ${most} h`;
}

/** The tables, one for each training, as Markdown. */
export async function costTables(): Promise<string> {
  const parts: string[] = [];
  for (const training of TRAININGS) {
    const { images, epochs, batch, ms } = training;
    const measured = Math.floor(images / batch) * epochs * ms / 3.6e6;
    const bytes = await memoryOf(training);
    parts.push(
      `${training.name}: ${(bytes / 1e9).toFixed(1)} GB`,
      markdownTable([
        ["card", "TFLOP/s", "TB/s", "training", "memory"],
        ...CARDS.map((card) => [
          card.name,
          `${card.arithmetic}`,
          `${card.bandwidth}`,
          hoursOn(card, measured),
          bytes < 0.9 * card.memory * 1e9 ? "fits" : "smaller batches",
        ]),
      ]),
    );
  }
  return parts.join("\n\n");
}

const USAGE = `Usage: deno task bench cost

Computes what the authors' recipes cost on several cards: hours, memory and money. It measures nothing.`;

if (import.meta.main && !helped(USAGE)) console.log(await costTables());
