import type { Family, Model } from "./family.ts";
import { resnet, type ResNetOptions } from "./resnet.ts";

/** A ResNet-50 of torchvision's form whose bottlenecks are wider inside, or of groups. */
function modelOf(inner: Pick<ResNetOptions, "groups" | "baseWidth">): Model {
  return {
    stems: ["cifar"],
    build: ({ classes, channels, stem }) =>
      resnet({
        block: "bottleneck",
        depths: [3, 4, 6, 3],
        widths: [64, 128, 256, 512],
        stem: [64],
        reduce: stem !== "cifar",
        variant: "torchvision",
        classes,
        channels,
        ...inner,
      }),
  };
}

/** ResNeXt (arXiv 1611.05431) and wide ResNet, as torchvision and timm have them. */
export const RESNEXTS: Family = {
  resnext50_32x4d: modelOf({ groups: 32, baseWidth: 4 }),
  wide_resnet50_2: modelOf({ baseWidth: 128 }),
};
