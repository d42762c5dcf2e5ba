// A thin network of each family, with the names that torchvision has for its layers, and values that
// follow from names by the same formula as in tests/python/families.py.
import { elements } from "../kernels/gpu/tensor.ts";
import { convnext, convnextNames } from "../nn/families/convnext.ts";
import { densenet } from "../nn/families/densenet.ts";
import { efficientnet, efficientnetNames } from "../nn/families/efficientnet.ts";
import type { Stage } from "../nn/families/inverted_residual.ts";
import { mobilenetV2, mobilenetV2Names } from "../nn/families/mobilenetv2.ts";
import { mobilenetV3, mobilenetV3Names } from "../nn/families/mobilenetv3.ts";
import { relu } from "../nn/families/activations.ts";
import { resnet } from "../nn/families/resnet.ts";
import { squeezenet } from "../nn/families/squeezenet.ts";
import { vgg, VGG_NAMES } from "../nn/families/vgg.ts";
import { wideResnet } from "../nn/families/wide_resnet.ts";
import { torchShape, type TorchTensor } from "../nn/layout.ts";
import type { Network } from "../nn/network.ts";
import type { State } from "../nn/parameters.ts";
import { fitPretrained, type NamePair } from "../nn/pretrained.ts";
import { networkSpecs } from "../nn/state.ts";

/** A network, and its layers' names in PyTorch where they are others. */
export interface ThinFamily {
  readonly network: Network;
  readonly names: readonly NamePair[];
}

const MOBILENET_V2: readonly Stage[] = [
  { stride: 1, rows: [{ repeat: 1, kernel: 3, expand: 1, out: 8 }] },
  { stride: 2, rows: [{ repeat: 2, kernel: 3, expand: 3, out: 16 }] },
  { stride: 2, rows: [{ repeat: 1, kernel: 3, expand: 6, out: 24 }] },
];

const MOBILENET_V3: readonly Stage[] = [
  { stride: 1, rows: [{ repeat: 1, kernel: 3, expand: 1, out: 16, activation: relu }] },
  { stride: 2, rows: [{ repeat: 1, kernel: 3, expand: 4, out: 24, activation: relu }] },
  {
    stride: 2,
    rows: [
      { repeat: 1, kernel: 5, expand: 3, out: 40, squeeze: true, activation: relu },
      { repeat: 1, kernel: 3, expand: 2.5, out: 40, squeeze: true },
    ],
  },
];

const EFFICIENTNET: readonly Stage[] = [
  { stride: 1, rows: [{ repeat: 1, kernel: 3, expand: 1, out: 8, squeeze: true }] },
  { stride: 2, rows: [{ repeat: 2, kernel: 5, expand: 6, out: 16, squeeze: true }] },
  { stride: 2, rows: [{ repeat: 1, kernel: 3, expand: 4, out: 24, squeeze: true }] },
];

/** Networks of so many classes, by family. */
export function thinFamilies(classes: number): Readonly<Record<string, ThinFamily>> {
  const options = { classes, channels: 3 };
  return {
    resnext: {
      network: resnet({
        block: "bottleneck",
        depths: [1, 2],
        widths: [16, 24],
        stem: [8],
        reduce: true,
        variant: "torchvision",
        groups: 4,
        baseWidth: 32,
        ...options,
      }),
      names: [],
    },
    wide_resnet: { network: wideResnet({ depth: 2, factor: 1 }, options), names: [] },
    vgg: {
      network: vgg({ groups: [[8], [12, 16]], hidden: 20 }, options),
      names: VGG_NAMES.names,
    },
    densenet: {
      network: densenet(
        { growth: 6, depths: [2, 3], first: 8, bottleneck: true, small: false },
        options,
      ),
      names: [],
    },
    squeezenet: { network: squeezenet({ stem: 8, fires: [[4], [6]] }, options), names: [] },
    mobilenetv2: {
      network: mobilenetV2({ stem: 32, stages: MOBILENET_V2 }, options),
      names: mobilenetV2Names(MOBILENET_V2),
    },
    mobilenetv3: {
      network: mobilenetV3({ stem: 16, stages: MOBILENET_V3, last: 240, head: 32 }, options),
      names: mobilenetV3Names(MOBILENET_V3),
    },
    efficientnet: {
      network: efficientnet({ stem: 16, stages: EFFICIENTNET, last: 40 }, options),
      names: efficientnetNames(EFFICIENTNET),
    },
    convnext: {
      network: convnext({ depths: [1, 2], widths: [8, 16] }, options),
      names: convnextNames({ depths: [1, 2] }),
    },
  };
}

/** Numbers in [-1, 1) by a name: mulberry32, begun at the FNV-1a hash of the name. */
export function uniform(name: string, count: number): Float64Array {
  let seed = 0x811C9DC5;
  for (const byte of new TextEncoder().encode(name)) seed = Math.imul(seed ^ byte, 0x01000193);
  return Float64Array.from({ length: count }, (_, i) => {
    const state = (seed + Math.imul(i + 1, 0x6D2B79F5)) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 31 - 1;
  });
}

/** The first values of a tensor: norms are wide enough that activations are cut off at 6 and at 3. */
function valuesOf(name: string, shape: readonly number[]): Float32Array {
  const count = elements(shape);
  const scaled = (middle: number, reach: number): Float32Array =>
    Float32Array.from(uniform(name, count), (u) => middle + reach * u);
  if (name.endsWith("running_var")) return scaled(1, 0.3);
  if (name.endsWith("layer_scale")) return scaled(0.5, 0.3);
  if (shape.length > 1) return scaled(0, Math.sqrt(6 * shape[0] / count));
  return name.endsWith(".weight") ? scaled(2, 0.4) : scaled(0, 0.1);
}

/** What PyTorch calls a tensor of a network. */
export function theirName({ names }: ThinFamily, name: string): string {
  const theirs = new Map(names.map(([theirs, ours]) => [ours, theirs]));
  const dot = name.lastIndexOf(".");
  const layer = theirs.get(name.slice(0, dot));
  return theirs.get(name) ?? (layer === undefined ? name : layer + name.slice(dot));
}

/** The state that follows from names, as `--init` takes it from a file of PyTorch's. */
export function thinState(family: ThinFamily): State {
  const { parameters, statistics } = networkSpecs(family.network);
  const tensors = new Map(
    [...parameters, ...statistics].map(({ name, shape }): [string, TorchTensor] => {
      const theirs = theirName(family, name);
      // Linear layers in the place of convolutions.
      const whole = torchShape(shape);
      const linear = /classifier\.[03]\.|block\.[35]\.weight/.test(theirs) && whole.length === 4;
      const flat = linear ? [whole[0], elements(whole) / whole[0]] : whole;
      return [theirs, { shape: flat, data: valuesOf(theirs, flat) }];
    }),
  );
  const { state, unused, fresh } = fitPretrained(family.network, tensors, { names: family.names });
  if (unused.length || fresh.length) {
    throw new TypeError(`Cannot fill a thin network: ${[...unused.map((u) => u.name), ...fresh]}`);
  }
  return state;
}
