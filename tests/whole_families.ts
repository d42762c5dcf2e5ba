// torchvision's own models with random weights, loaded as --init loads them.
import { fileURLToPath } from "node:url";
import { parseSafetensors } from "../data/safetensors.ts";
import { Gpu } from "../kernels/gpu.ts";
import { model, torchvisionNames } from "../nn/families/mod.ts";
import { checkLogits } from "./parity/pretrained.ts";

const SCRIPT = fileURLToPath(new URL("./python/families.py", import.meta.url));
const CLASSES = 10;

/** Models by our names, with torchvision's. */
export type ModelPair = readonly [ours: string, theirs: string];

/** Whether a Python has torchvision. */
export async function hasTorchvision(python: string): Promise<boolean> {
  const args = ["-c", "import torchvision"];
  return (await new Deno.Command(python, { args, stderr: "null" }).output()).success;
}

/**
 * Compares logits of images of 64 pixels with those that torchvision gives in float64, its files
 * written to a folder. Raises an `Error` where they differ by more than 1e-4.
 */
export async function compareWithTorchvision(
  python: string,
  dir: string,
  pairs: readonly ModelPair[],
): Promise<void> {
  const args = [SCRIPT, "whole", dir, String(CLASSES), "64", ...pairs.map(([, theirs]) => theirs)];
  const { success, stderr } = await new Deno.Command(python, { args }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  for (const [ours, theirs] of pairs) {
    const path = `${dir}/${theirs}.safetensors`;
    const file = parseSafetensors(await Deno.readFile(path));
    await Deno.remove(path);
    const network = model(ours, { classes: CLASSES });
    const gpu = await Gpu.open();
    try {
      const findings = await checkLogits(gpu, file, { network, foreign: torchvisionNames(ours) });
      const wrong = findings.filter(({ error, allowed }) => !(error <= allowed));
      const words = wrong.map(({ what, error }) => `${what}: ${error}`).join(", ");
      if (words) throw new Error(`${ours} differs from torchvision's ${theirs} in ${words}`);
    } finally {
      gpu.destroy();
    }
  }
}
