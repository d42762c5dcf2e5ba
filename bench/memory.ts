// How fast work moves memory that computes little: norms, ReLUs and sums, in float32 and in half
// floats, loaded and stored 8 and 16 bytes at a time, beside a plain copy.
//   deno task bench memory [--batch N] [--size N] [--channels N] [--repeats N] [--webgpu NAME]
import { timeOf } from "../cli/doctor/speed.ts";
import { quietDrivers } from "../cli/environment.ts";
import { fail } from "../cli/failure.ts";
import { columns, either } from "../cli/text.ts";
import { type Implementation, IMPLEMENTATIONS } from "../cli/webgpu/implementation_names.ts";
import { useWebgpu } from "../cli/webgpu/use_webgpu.ts";
import { printable } from "../data/printable.ts";
import { pullBack, written } from "../kernels/gradient.ts";
import { Gpu } from "../kernels/gpu.ts";
import type { Tensor } from "../kernels/gpu/tensor.ts";
import { add } from "../kernels/ops/add.ts";
import { batchNorm } from "../kernels/ops/batch_norm.ts";
import { relu } from "../kernels/ops/relu.ts";
import type { Preset } from "../kernels/preset.ts";
import type { Program } from "../kernels/program/program.ts";
import type { Scope } from "../kernels/program/scope.ts";
import type { Trace } from "../kernels/program/trace.ts";
import { UsageError } from "../train/errors.ts";
import { helped } from "./helped.ts";
import { print, takeFlags, wholeNumber } from "./trials.ts";

/** Images, and how often each work is measured. */
export interface Images {
  readonly batch: number;
  readonly size: number;
  readonly channels: number;
  readonly repeats: number;
}

/** How values are kept, and by how many bytes they are loaded and stored. */
const KINDS = [
  { name: "float32", half: false, wide: false },
  { name: "half floats, by 8 bytes", half: true, wide: false },
  { name: "half floats, by 16 bytes", half: true, wide: true },
] as const;

/** Two images, as they are kept, and the vectors of a norm. */
interface Inputs {
  readonly x: Tensor;
  readonly other: Tensor;
  readonly vectors: readonly Tensor[];
}

const NORM = { eps: 1e-5, momentum: 0.1, relu: true };

function normed(trace: Trace, { x, vectors }: Inputs, residual?: Tensor): Tensor {
  const inputs = [x, ...vectors, ...residual ? [residual] : []];
  return trace.value(batchNorm.forward(trace, inputs, NORM)[0]);
}

/** Works by name: each records its kernels once. */
const WORKS: Readonly<Record<string, (trace: Trace, inputs: Inputs) => void>> = {
  "relu": (trace, { x }) => void trace.value(relu.forward(trace, [x], {})[0]),
  "sum": (trace, { x, other }) =>
    void trace.value(add.forward(trace, [x, other], { relu: false })[0]),
  "norm, relu": (trace, inputs) => void normed(trace, inputs),
  "norm, residual sum, relu": (trace, inputs) => void normed(trace, inputs, inputs.other),
  "norm, relu, and gradient": (trace, inputs) => {
    const all = [inputs.x, ...inputs.vectors];
    const outputs = batchNorm.forward(trace, all, NORM);
    trace.value(outputs[0]);
    const wanted = [true, true, true, false, false];
    const context = { inputs: all, outputs, attributes: NORM, wanted };
    for (const [i, gradient] of pullBack(trace, batchNorm, context, inputs.other).entries()) {
      if (!gradient || !wanted[i]) continue;
      trace.value(written(trace, gradient, { name: `gradient ${i}`, shape: all[i].shape }));
    }
  },
};

/** Runs of a work in a submit. */
const COPIES = 8;

/** Bytes that a replay reads and writes. */
function bytesOf({ actions }: Program): number {
  return actions.reduce((sum, { cost }) => sum + cost.bytes, 0);
}

/** 1e9 bytes a second, read and written by a program, at best. */
async function speed(gpu: Gpu, program: Program, repeats: number): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < repeats; i++) times.push(await timeOf(gpu, program));
  return bytesOf(program) / 1e6 / Math.min(...times);
}

async function copies(scope: Scope, gpu: Gpu, { batch, size, channels, repeats }: Images) {
  const [from, to] = ["from", "to"].map((name) =>
    scope.tensor(name, [batch, size, size, channels])
  );
  const program = await scope.trace("copies", (trace) => {
    for (let i = 0; i < COPIES; i++) trace.copy(from, to);
  });
  return await speed(gpu, program, repeats);
}

/** What a kind reaches in each work, in 1e9 bytes a second; a plain copy first. */
async function measureKind(
  preset: Preset | undefined,
  images: Images,
  { half, wide }: typeof KINDS[number],
): Promise<number[]> {
  const opened = await Gpu.open({ preset });
  const found: number[] = [];
  const own: Preset = { ...opened.preset, wide };
  opened.destroy();
  const gpu = await Gpu.open({ preset: own });
  try {
    using scope = gpu.scope();
    found.push(await copies(scope, gpu, images));
    const { batch, size, channels, repeats } = images;
    const image = (name: string): Tensor =>
      scope.tensor(name, [batch, size, size, channels], undefined, half ? "f16" : "f32");
    const vectors = ["weight", "bias", "mean", "variance"].map((name) =>
      scope.tensor(name, [channels])
    );
    const inputs = { x: image("x"), other: image("other"), vectors };
    for (const [name, record] of Object.entries(WORKS)) {
      const program = await scope.trace(name, (trace) => {
        for (let i = 0; i < COPIES; i++) record(trace, inputs);
      }, { precision: half ? "mixed" : "float32" });
      found.push(await speed(gpu, program, repeats));
    }
  } finally {
    gpu.destroy();
  }
  return found;
}

/** What is measured of an adapter: a table. `preset` is another than that of the adapter. */
export async function memoryTable(images: Images, preset?: Preset): Promise<string> {
  const { batch, size, channels } = images;
  const gpu = await Gpu.open({ preset });
  const { adapter, hasHalves, preset: { loads } } = gpu;
  gpu.destroy();
  const kinds = KINDS.filter(({ half, wide }) =>
    (!half || hasHalves) && (!wide || loads === "buffer")
  );
  const found: number[][] = [];
  for (const kind of kinds) found.push(await measureKind(preset, images, kind));
  const copied = Math.max(...found.map(([copy]) => copy));
  const rows = Object.keys(WORKS).map((name, i) => [
    name,
    ...found.flatMap((speeds) => {
      const reached = speeds[i + 1];
      return [reached.toPrecision(3), `${(100 * reached / copied).toFixed(0)} %`];
    }),
  ]);
  return [
    `adapter  ${adapter}`,
    `images   ${batch} of ${size}x${size} pixels, ${channels} channels`,
    `a copy   ${copied.toPrecision(3)} GB/s, read and written`,
    "",
    ...columns([["GB/s", ...kinds.flatMap(({ name }) => [name, "of a copy"])], ...rows]),
  ].join("\n");
}

/** What is measured, and on which implementation of WebGPU. */
interface Asked extends Images {
  readonly webgpu?: Implementation;
}

/** What words ask for. Raises a `UsageError`. */
export function asked(args: readonly string[]): Asked {
  const flags = takeFlags(args, ["batch", "size", "channels", "repeats", "webgpu"]);
  if (flags.rest.length) {
    throw new UsageError(
      `bench memory takes --batch, --size, --channels, --repeats and --webgpu, found ` +
        printable(flags.rest.join(" ")),
    );
  }
  const named = flags.given("webgpu").at(-1);
  const webgpu = IMPLEMENTATIONS.find((name) => name === named);
  if (named !== undefined && !webgpu) {
    throw new UsageError(`--webgpu is ${either(IMPLEMENTATIONS)}, found ${printable(named)}`);
  }
  return {
    webgpu,
    batch: wholeNumber(flags, "batch", { otherwise: 64 }),
    size: wholeNumber(flags, "size", { otherwise: 56 }),
    channels: wholeNumber(flags, "channels", { otherwise: 64 }),
    repeats: wholeNumber(flags, "repeats", { otherwise: 5 }),
  };
}

const USAGE = `Usage: deno task bench memory [--batch N] [--size N] [--channels N] [--repeats N]
                              [--webgpu deno|dawn]

Times norms, ReLUs and sums of images in float32 and in half floats, loaded and stored 8 and 16 bytes
at a time, beside a plain copy: 64 images of 56x56 pixels with 64 channels, the best of 5 times.`;

if (import.meta.main && !helped(USAGE)) {
  try {
    quietDrivers();
    const { webgpu, ...images } = asked(Deno.args);
    await useWebgpu(webgpu);
    print(await memoryTable(images));
  } catch (error) {
    fail(error, ["bench"]);
  }
}
