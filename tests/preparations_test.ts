import { assert, assertEquals } from "@std/assert";
import { readArguments } from "../cli/arguments.ts";
import { trainRequest } from "../cli/options.ts";
import { levelSize } from "../data/preparation.ts";
import { Random } from "../data/random.ts";
import { augmentationPlan, preparations } from "../train/augment/plan.ts";

function optionsOf(line: string) {
  const words = `--dataset folder --data-dir photos ${line}`.split(" ").filter((word) => word);
  const { options } = trainRequest(readArguments("train", words));
  const { imageSize } = options;
  if (imageSize === undefined) throw new Error("There is no image size");
  return { ...options, imageSize };
}

/** The side of the level that pictures are reduced to. */
function sideOf(line: string): number {
  const { train } = preparations(optionsOf(line));
  return train.kind === "level" ? train.side : 0;
}

Deno.test("pictures are validated on as the options say", () => {
  const { validation } = preparations(optionsOf("--channels 1 --interpolation bicubic"));
  assertEquals(validation, {
    ...{ kind: "central", channels: 1, size: 224, cropPct: 1 / 1.14, interpolation: "bicubic" },
  });
  const other = preparations(optionsOf("--image-size 64 --crop-pct 1")).validation;
  assertEquals(other.kind === "central" && [other.size, other.cropPct], [64, 1]);
});

Deno.test("levels have as many pixels as the smallest crop needs, and no more than four times", () => {
  assertEquals(sideOf("--augment crop-flip"), 224);
  assertEquals(sideOf("--scale 1,1 --ratio 1,1"), 224);
  assertEquals(sideOf("--scale 0.25,1 --ratio 1,1"), 448);
  assertEquals(sideOf("--scale 0.25,1 --ratio 1,4 --image-size 50"), 200);
  assertEquals(sideOf("--scale 0.01,1 --image-size 50"), 200);
  assertEquals(sideOf("--scale 1,1 --ratio 2,4 --image-size 50"), 100);
  assertEquals(sideOf("--scale 1,1 --ratio 0.25,0.5 --image-size 50"), 100);
});

Deno.test("crops of levels enlarge no pixel", () => {
  const options = optionsOf("--image-size 64");
  const { train } = preparations(options);
  if (train.kind !== "level") throw new Error("There is no level");
  const normalization = { mean: [0, 0, 0], std: [1, 1, 1] };
  const { crop } = augmentationPlan(options, { height: 64, width: 64, normalization });
  const crops = new Float32Array(4);
  for (const [height, width] of [[1000, 1000], [1000, 1333], [1200, 900]]) {
    const level = levelSize({ height, width }, train);
    for (let i = 0; i < 300; i++) {
      crop(new Random(i, "crop"), level)(crops, 0);
      const [stepX, stepY] = [Math.abs(crops[2]), Math.abs(crops[3])];
      assert(stepX > 0.98 && stepY > 0.98, `${[height, width, stepX, stepY]}`);
    }
  }
});

Deno.test("a picture of any shape is cropped centrally, shifted by an eighth, and mirrored", () => {
  const line = "--image-size 64 --augment crop";
  const shown = { height: 64, width: 64, normalization: { mean: [0], std: [1] } };
  const crops = new Float32Array(4);
  const source = { height: 128, width: 200 };
  const none = augmentationPlan(optionsOf(`${line} --augment none`), shown);
  none.crop(new Random(1, "crop"), source)(crops, 0);
  assertEquals([...crops], [36, 0, 2, 2]);
  const flipped = augmentationPlan(
    optionsOf(`${line} --augment none --hflip 1 --vflip 1`),
    shown,
  );
  flipped.crop(new Random(1, "crop"), source)(crops, 0);
  assertEquals([...crops], [164, 128, -2, -2]);
  const { crop } = augmentationPlan(optionsOf(line), shown);
  const shifts = Array.from({ length: 300 }, (_, i) => {
    crop(new Random(i, "crop"), source)(crops, 0);
    return [(crops[0] - 36) / 2, crops[1] / 2];
  }).flat();
  assertEquals([Math.min(...shifts), Math.max(...shifts)], [-8, 8]);
});
