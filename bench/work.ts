// What all peers compute alike. Imports nothing of the project, as their processes load it too.

/** A convolution of square images with padding floor(kernel / 2) and stride 1, in one direction. */
export interface ConvolutionTask {
  readonly kind: "convolution";
  readonly name: string;
  readonly direction: "forward" | "inputGradient" | "weightGradient";
  readonly kernel: number;
  readonly in: number;
  readonly out: number;
  readonly size: number;
  readonly batch: number;
}

/** What training steps of all networks have. */
interface AnyStep {
  readonly kind: "step";
  readonly name: string;
  readonly model: string;
  readonly classes: number;
  readonly size: number;
  readonly batch: number;
  readonly lr: number;
  readonly momentum: number;
  /** A step of the network and its compressed twin, at this compression. Default: of it alone. */
  readonly compression?: number;
}

/** A step of a residual network. */
export interface ResidualTask extends AnyStep {
  readonly blocks: "residual";
  /** One 3x3 for CIFAR, or the authors' three and a pool. */
  readonly stem: "cifar" | "authors";
  /** Channels of each stage, in the 3x3 of its blocks. */
  readonly widths: readonly number[];
  /** Blocks of each stage. */
  readonly depths: readonly number[];
  /** Whether blocks are 1x1, 3x3 and 1x1 to four times the channels, and not two 3x3. */
  readonly bottleneck: boolean;
}

/** Inverted residual blocks that are alike, a row of table 2 of arXiv 1801.04381. */
export interface InvertedRow {
  /** The factor between the channels that come in and those between: 1 has no convolution for it. */
  readonly expand: number;
  /** Channels of the value. */
  readonly out: number;
  /** How many. */
  readonly repeat: number;
  /** Of the first; that of the others is 1. */
  readonly stride: number;
}

/** A step of a MobileNetV2: depthwise convolutions between 1x1, and ReLU6. */
export interface InvertedTask extends AnyStep {
  readonly blocks: "inverted";
  /** Channels of the 3x3 before the blocks, which has stride 2. */
  readonly stemWidth: number;
  readonly rows: readonly InvertedRow[];
  /** Channels of the 1x1 behind the blocks. */
  readonly headWidth: number;
}

/**
 * A training step: forward, mean cross entropy, backward, SGD with momentum, running statistics.
 */
export type StepTask = ResidualTask | InvertedTask;

/** Work that every peer is given. */
export type Task = ConvolutionTask | StepTask;

/** Reading pictures from files, each once. */
export interface LoaderTask {
  /** The folder, whose folders are classes. */
  readonly dir: string;
  /** Whether random crops are taken, or the central part. */
  readonly kind: "level" | "central";
  /** Pixels of a side of what comes out. */
  readonly size: number;
  /** How many processes or threads decode. */
  readonly workers: number;
  /** Pictures of a batch. */
  readonly batch: number;
  /** How many files are read, at most. */
  readonly files: number;
}

/** What a peer's process reads, a line of JSON each. */
export type Request<T = Task | LoaderTask> =
  | { readonly do: "prepare"; readonly task: T }
  | { readonly do: "run" };

/** What a peer's process says first. */
export interface Hello {
  readonly name: string;
  readonly version: string;
  /** What it computes on. */
  readonly device: string;
}

/** What a task that was made ready came to. */
export interface Checked {
  /** What all peers must agree on. */
  readonly check: number;
  /** The most memory of the device that it took, where that is known. */
  readonly bytes?: number;
}

/**
 * What a peer's process answers. After "prepare", everything is compiled and warm, and `check` is
 * what all peers must agree on: Σ |result| of a convolution, the loss of a step's second run.
 */
export type Reply =
  | Checked
  | { readonly ms: number }
  | { readonly error: string };

/**
 * Numbers in [-0.5, 0.5) that look random and are the same in every language: the upper 24 bits of
 * a hash of the index. Arrays are images `[batch, height, width, channels]` or filters
 * `[height, width, in, out]`.
 */
export function values(count: number, seed: number): Float32Array<ArrayBuffer> {
  const made = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    let h = Math.imul(i + 1, 0x9e3779b1) ^ Math.imul(seed + 1, 0x85ebca6b);
    h = Math.imul(h ^ h >>> 15, 0x2c1b3c6d);
    h = Math.imul(h ^ h >>> 12, 0x297a2d39);
    made[i] = ((h ^ h >>> 15) >>> 8) / 2 ** 24 - 0.5;
  }
  return made;
}

/** Filters or classifier of variance 1 / fan in; `index` counts those of a network from 0. */
export function weights(shape: readonly number[], index: number): Float32Array<ArrayBuffer> {
  const count = shape.reduce((product, d) => product * d, 1);
  const scale = Math.sqrt(12 * shape[shape.length - 1] / count);
  return values(count, index).map((value) => value * scale);
}

/** The bytes of a step's images, `[batch, size, size, 3]`. */
export function pixels({ batch, size }: StepTask): Uint8Array<ArrayBuffer> {
  const numbers = values(batch * size * size * 3, 999);
  return Uint8Array.from(numbers, (value) => Math.floor((value + 0.5) * 256));
}

/** The class of each of a step's images. */
export function labels({ batch, classes }: StepTask): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: batch }, (_, i) => i % classes);
}

/** Kernel, inputs, outputs and side of a convolution. */
type Shape = readonly [kernel: number, inputs: number, out: number, size: number];

const DIRECTION_NAMES = {
  forward: "forward",
  inputGradient: "input gradient",
  weightGradient: "weight gradient",
} as const;

/** Convolutions of some shapes in all directions; their names end in `suffix`. */
export function convolutions(
  batch: number,
  shapes: readonly Shape[],
  suffix = "",
): ConvolutionTask[] {
  return shapes.flatMap(([kernel, inputs, out, size]) =>
    (["forward", "inputGradient", "weightGradient"] as const).map((direction) => ({
      kind: "convolution" as const,
      name: `${kernel}x${kernel} ${inputs}->${out} @${size}${suffix}, ${
        DIRECTION_NAMES[direction]
      }`,
      direction,
      kernel,
      in: inputs,
      out,
      size,
      batch,
    }))
  );
}

const STEP = { kind: "step", classes: 10, lr: 0.05, momentum: 0.9 } as const;

const RESNET = { ...STEP, blocks: "residual", size: 32, stem: "cifar", bottleneck: false } as const;

const RESNET18 = {
  ...RESNET,
  model: "resnet18",
  widths: [64, 128, 256, 512],
  depths: [2, 2, 2, 2],
} as const;

/** At a higher rate the loss of so deep a network leaps, and rounding with it. */
const MOBILENETV2 = {
  ...STEP,
  lr: 0.0005,
  blocks: "inverted",
  model: "mobilenetv2_100",
  stemWidth: 32,
  rows: [
    { expand: 1, out: 16, repeat: 1, stride: 1 },
    { expand: 6, out: 24, repeat: 2, stride: 2 },
    { expand: 6, out: 32, repeat: 3, stride: 2 },
    { expand: 6, out: 64, repeat: 4, stride: 2 },
    { expand: 6, out: 96, repeat: 3, stride: 1 },
    { expand: 6, out: 160, repeat: 3, stride: 2 },
    { expand: 6, out: 320, repeat: 1, stride: 1 },
  ],
  headWidth: 1280,
} as const;

/** Work for a processor, in the order of the table. */
export const TASKS: readonly Task[] = [
  ...convolutions(32, [
    [3, 64, 64, 32],
    [3, 128, 128, 16],
    [3, 256, 256, 8],
    [3, 512, 512, 4],
    [1, 256, 64, 16],
  ]),
  {
    ...RESNET,
    name: "step of ResNet-20, batch 64",
    model: "resnet20",
    widths: [16, 32, 64],
    depths: [3, 3, 3],
    batch: 64,
  },
  { ...RESNET18, name: "step of ResNet-18, batch 32", batch: 32 },
  { ...MOBILENETV2, name: "step of MobileNetV2, 64x64, batch 32", size: 64, batch: 32 },
];

/** Work that keeps a graphics processor busy, likewise. */
export const LARGE_TASKS: readonly Task[] = [
  { ...RESNET18, name: "step of ResNet-18, 32x32, batch 256", batch: 256 },
  {
    ...RESNET18,
    name: "step of ResNet-50, 224x224, batch 64",
    model: "resnet50",
    stem: "authors",
    depths: [3, 4, 6, 3],
    bottleneck: true,
    size: 224,
    batch: 64,
  },
  { ...MOBILENETV2, name: "step of MobileNetV2, 224x224, batch 64", size: 224, batch: 64 },
  ...convolutions(256, [[3, 128, 128, 16], [3, 256, 256, 8], [3, 512, 512, 4]], ", batch 256"),
  ...convolutions(64, [[3, 64, 64, 56], [1, 256, 64, 56], [1, 64, 256, 56]], ", batch 64"),
];
