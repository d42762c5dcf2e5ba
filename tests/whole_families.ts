// torchvision's own models with random weights, loaded as --init loads them.
import { fileURLToPath } from "node:url";
import { parseSafetensors } from "../data/safetensors.ts";
import { model, torchvisionNames } from "../nn/families/mod.ts";
import { checkExactLogits, checkLogits } from "./parity/pretrained.ts";
import { whereItFits } from "./where_it_fits.ts";

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
 * Compares logits of images of 64 pixels with those that torchvision gives in float64, its file
 * written to a folder. Says where ours were computed. Raises an `Error` where they differ by more
 * than 1e-4.
 */
export async function compareWithTorchvision(
  python: string,
  dir: string,
  [ours, theirs]: ModelPair,
): Promise<string> {
  const args = [SCRIPT, "whole", dir, String(CLASSES), "64", theirs];
  const { success, stderr } = await new Deno.Command(python, { args }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  const path = `${dir}/${theirs}.safetensors`;
  const file = parseSafetensors(await Deno.readFile(path));
  await Deno.remove(path);
  const networks = {
    network: model(ours, { classes: CLASSES }),
    foreign: torchvisionNames(ours),
  };
  const { found, where } = await whereItFits(
    (gpu) => checkLogits(gpu, file, networks),
    () => checkExactLogits(file, networks),
  );
  const wrong = found.filter(({ error, allowed }) => !(error <= allowed));
  const words = wrong.map(({ what, error }) => `${what}: ${error}`).join(", ");
  if (words) throw new Error(`${ours} differs from torchvision's ${theirs} in ${words}${where}`);
  return where;
}
