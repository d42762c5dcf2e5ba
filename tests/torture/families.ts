// Every whole model: its small networks are what was measured, run in onnxruntime, and are trained for
// an epoch; torchvision's weights give torchvision's logits where a Python has it. Full numbers:
// `deno task torture --only families`.
import { MODEL_NAMES } from "../../nn/families/mod.ts";
import { withFolder } from "../folder.ts";
import { makeFiles, onePicture } from "../picture_folders.ts";
import { pythonWithTorch } from "../python.ts";
import { LOCK } from "../tasks.ts";
import { compareWithTorchvision, hasTorchvision, type ModelPair } from "../whole_families.ts";
import { checkTwin } from "./family_twins.ts";

const ROOT = new URL("../../", import.meta.url);

const SIDE = 64;
const COMPRESSIONS = [2, 4];

/** Models that torchvision has as well. */
const TORCHVISION: readonly ModelPair[] = [
  ["vgg11_bn", "vgg11_bn"],
  ["vgg16_bn", "vgg16_bn"],
  ["resnext50_32x4d", "resnext50_32x4d"],
  ["wide_resnet50_2", "wide_resnet50_2"],
  ["densenet121", "densenet121"],
  ["squeezenet1_1", "squeezenet1_1"],
  ["mobilenetv2_100", "mobilenet_v2"],
  ["mobilenetv3_large_100", "mobilenet_v3_large"],
  ["efficientnet_b0", "efficientnet_b0"],
  ["convnext_tiny", "convnext_tiny"],
];

/**
 * Models of which software adapters have no room for the parameters: they are compared in float64,
 * but not trained, for which others of their families stand. With the sides of images to compare.
 */
const LARGE: Readonly<Record<string, number>> = {
  "vgg11_bn": SIDE,
  "vgg16_bn": SIDE,
  "wide_resnet50_2": SIDE,
  "wide_resnet28_10": 16,
};

/** Those of families that ResNets' own tests do not go through. */
const MODELS = MODEL_NAMES.filter((name) => !name.startsWith("resnet"));

/** Trains an epoch on a few pictures, and demands the proof. */
async function trainOnce(name: string, pictures: string, output: string): Promise<void> {
  const args = [
    ...["run", "--allow-all", LOCK, "cli/main.ts", "train"],
    ...["--data-dir", pictures, "--model", name, "--image-size", `${SIDE}`],
    ...["--epochs", "1", "--batch-size", "4", "--output", output, "--quiet"],
  ];
  const { code, stderr } = await new Deno.Command("deno", { args, cwd: ROOT }).output();
  if (code === 0) return;
  throw new Error(`training ended with ${code}: ${new TextDecoder().decode(stderr)}`);
}

/** Checks a share of the models. Raises an `Error` that counts those of which something is wrong. */
export async function families(share: number, print: (line: string) => void): Promise<void> {
  const models = MODELS.slice(0, Math.ceil(MODELS.length * share));
  let faults = 0;
  const attempt = async (what: string, check: () => Promise<string | void>): Promise<void> => {
    try {
      print(`${what}: ${await check() ?? "holds"}`);
    } catch (error) {
      faults++;
      print(`${what} FAILED: ${error instanceof Error ? error.message : error}`);
    }
  };
  await withFolder(async (dir) => {
    for (const half of ["train", "val"]) {
      for (let i = 0; i < 8; i++) {
        const colour = [200 * (i % 2), 90 + 10 * i, 60];
        const bytes = await onePicture({ width: 80, height: 70, colour });
        await makeFiles(`${dir}/pictures`, { [`${half}/${"ab"[i % 2]}/${i}.png`]: bytes });
      }
    }
    for (const name of models) {
      for (const compression of COMPRESSIONS) {
        const side = LARGE[name] ?? SIDE;
        await attempt(
          `${name}, compression ${compression}`,
          () => checkTwin(name, compression, side),
        );
      }
      if (name in LARGE) continue;
      await attempt(
        `${name}, an epoch`,
        () => trainOnce(name, `${dir}/pictures`, `${dir}/run-${name}`),
      );
    }
    const python = await pythonWithTorch();
    if (!python || !await hasTorchvision(python)) return print("there is no torchvision here");
    for (const pair of TORCHVISION.slice(0, Math.ceil(TORCHVISION.length * share))) {
      const what = `${pair[0]}, torchvision's weights`;
      await attempt(what, async () => `holds${await compareWithTorchvision(python, dir, pair)}`);
    }
  });
  if (faults) throw new Error(`${faults} checks failed`);
}
