// What the measurement of a card runs in processes of their own: `step` with flags of `bench step`, and
// `train` with those of `train`, which prints nothing but accuracies. The packages of the command line,
// which draw and decode, are not needed, so that a machine without a network will do.
import { quietDrivers } from "../../cli/environment.ts";
import { errorMessage } from "../../cli/error_message.ts";
import { print, printError } from "../../cli/print.ts";
import { IMPLEMENTATIONS } from "../../cli/webgpu/implementation_names.ts";
import { useWebgpu } from "../../cli/webgpu/use_webgpu.ts";
import { Gpu } from "../../kernels/gpu.ts";
import { printable } from "../../data/printable.ts";
import { bench } from "../main.ts";
import { takeFlags, trained, trainingOptions } from "../trials.ts";

/** Characters of an error. */
const LONGEST = 400;

/** Trains once, and prints top-1 by network as JSON. */
async function train(words: readonly string[]): Promise<void> {
  const { given, rest } = takeFlags(words, ["webgpu"]);
  await useWebgpu(IMPLEMENTATIONS.find((name) => name === given("webgpu").at(-1)));
  const gpu = await Gpu.open();
  try {
    const { top1 } = await trained(gpu, trainingOptions(rest));
    print(`${JSON.stringify(top1)}\n`);
  } finally {
    gpu.destroy();
  }
}

if (import.meta.main) {
  const [what, ...words] = Deno.args;
  try {
    quietDrivers();
    await (what === "train" ? train(words) : bench("bench step", words, print));
  } catch (error) {
    printError(`${printable(errorMessage(error, ["bench", what]), LONGEST)}\n`);
    Deno.exitCode = 1;
  }
}
