import type { Mutant } from "./mutant.ts";

const FAMILIES_TEST = "tests/families_test.ts";

/** Networks that have a name of timm's and are others, and weights that are taken for others. */
export const FAMILIES: readonly Mutant[] = [
  {
    name: "gates of MobileNetV3 are not rounded to eights",
    file: "nn/families/mobilenetv3.ts",
    find: "inEights(gated / 4)",
    replace: "Math.floor(gated / 4)",
    test: { file: FAMILIES_TEST, name: "models have the parameters" },
  },
  {
    name: "the head of MobileNetV3 has no activation",
    file: "nn/families/mobilenetv3.ts",
    find: "n.globalAvgPool2d(n.hardSwish(made))",
    replace: "n.globalAvgPool2d(made)",
    test: { file: FAMILIES_TEST, name: "gives PyTorch's logits and gradients" },
  },
  {
    name: "MobileNetV2 has ReLUs",
    file: "nn/families/mobilenetv2.ts",
    find: "activation: relu6,",
    replace: "activation: (n, x) => n.relu(x),",
    test: { file: FAMILIES_TEST, name: "gives PyTorch's logits and gradients" },
  },
  {
    name: "the scale of a ConvNeXt block scales what came in as well",
    file: "nn/families/convnext.ts",
    find: "n.add(x, n.scale(y, { name: prefix }))",
    replace: "n.scale(n.add(x, y), { name: prefix })",
    test: { file: FAMILIES_TEST, name: "gives PyTorch's logits and gradients" },
  },
  {
    name: "norms of another library keep our eps",
    file: "nn/pretrained.ts",
    find: "v + (eps - NORM_EPS)",
    replace: "v",
    test: { file: "tests/pretrained_test.ts", name: "keeps to its eps" },
  },
  {
    name: "a stem that a model does not have passes",
    file: "nn/families/mod.ts",
    find: '  checkOffered(name, "stem", { found: stem, offered: stems });\n',
    replace: "",
    test: { file: FAMILIES_TEST, name: "stems and variants that a model does not have" },
  },
];
