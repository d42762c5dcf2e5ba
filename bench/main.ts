import { geometry } from "../kernels/wgsl/geometry.ts";
import { Gpu } from "../kernels/gpu.ts";
import { readArguments } from "../cli/arguments.ts";
import { flagOf } from "../cli/flags/table.ts";
import { unusable } from "../cli/option_value.ts";
import { sandwichConflict } from "../train/options/conflict.ts";
import type { Implementation } from "../cli/webgpu/implementation_names.ts";
import { useWebgpu } from "../cli/webgpu/use_webgpu.ts";
import { benchConv, convTable } from "./conv.ts";
import { comparePeers } from "./peer_runs.ts";
import { dataText, timeLoaders } from "./data_loaders.ts";
import { benchStep, stepTable } from "./step.ts";
import { comparisonText, withComparison } from "./table.ts";
import { adapterWords, precisionOn } from "../train/precision.ts";
import type { Command } from "../cli/flags/commands.ts";

/** A subcommand that times something. */
export type BenchCommand = Extract<Command, `bench ${string}`>;

type Print = (text: string) => void;

/** The flags that say what was timed. */
function timedFlags(args: readonly string[]): string {
  return args.filter((arg) => arg !== "--quiet").join(" ");
}

/** Prints lines of what goes on; none with `quiet`. */
function lines(print: Print, quiet: boolean): Print {
  return quiet ? () => {} : (text) => print(`${text}\n`);
}

const FILE = new URL("../BENCHMARKS.md", import.meta.url);

async function withGpu(
  run: (gpu: Gpu) => Promise<void>,
  webgpu?: Implementation,
): Promise<void> {
  await useWebgpu(webgpu);
  const gpu = await Gpu.open();
  try {
    await run(gpu);
  } finally {
    gpu.destroy();
  }
}

function asJson(found: object): string {
  const short = (_: string, value: unknown): unknown =>
    typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(6)) : value;
  return JSON.stringify(found, short, 2) + "\n";
}

async function conv(args: readonly string[], print: Print): Promise<void> {
  const { values } = readArguments("bench conv", args);
  const { kernel, stride, in: inputs, out, size, batch, groups, repeats, json, precision, webgpu } =
    values;
  const padding = values.padding ?? kernel >> 1;
  const shape = { kernel, stride, padding, in: inputs, out, size, batch, groups };
  // Refuses a filter that does not fit, and groups that do not divide, before there is a GPU.
  const [x, w] = [[batch, size, size, inputs], [kernel, kernel, Math.max(1, inputs / groups), out]];
  geometry("conv2d", { shape: x }, { shape: w }, { stride, padding, groups });
  await withGpu(async (gpu) => {
    const how = { repeats, precision: precisionOn(gpu, precision) };
    const speeds = await benchConv(gpu, shape, how);
    print(json ? asJson(speeds) : `${adapterWords(gpu, precision)}\n${convTable(speeds)}`);
  }, webgpu);
}

async function step(args: readonly string[], print: Print): Promise<void> {
  const { values: { json, webgpu, ...options } } = readArguments("bench step", args);
  const why = sandwichConflict(options.sandwich, [options.compression].flat().length, flagOf);
  if (why) throw unusable(why);
  await withGpu(async (gpu) => {
    const times = await benchStep(gpu, options);
    const adapter = adapterWords(gpu, options.precision);
    print(json ? asJson(times) : `${adapter}\n${stepTable(times, options.mode)}`);
  }, webgpu);
}

async function data(args: readonly string[], print: Print): Promise<void> {
  const { values, positionals: [dir] } = readArguments("bench data", args);
  const { workers, imageSizes, repeats, quiet } = values;
  const line = lines(print, quiet);
  const found = await timeLoaders({ dir, workers, imageSizes, repeats }, line);
  line("");
  print(`${dataText(found, timedFlags(args))}\n`);
}

async function peers(args: readonly string[], print: Print): Promise<void> {
  const { values: { repeats, only, all, large, quiet } } = readArguments("bench peers", args);
  const line = lines(print, quiet);
  await withGpu(async (gpu) => {
    const found = await comparePeers(
      gpu,
      { repeats, only, all, large },
      line,
    );
    const text = comparisonText({ ...found, repeats, flags: timedFlags(args) });
    if (only !== undefined) {
      line("");
      return print(`${text}\n`);
    }
    await Deno.writeTextFile(FILE, withComparison(await Deno.readTextFile(FILE), text, large));
    print("wrote BENCHMARKS.md\n");
  });
}

const RUN: Readonly<Record<BenchCommand, typeof conv>> = {
  "bench conv": conv,
  "bench step": step,
  "bench data": data,
  "bench peers": peers,
};

/** Times what a subcommand says, and prints the times. */
export async function bench(
  command: BenchCommand,
  args: readonly string[],
  print: Print,
): Promise<void> {
  await RUN[command](args, print);
}
