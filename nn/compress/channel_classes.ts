import { range } from "../../kernels/wgsl/blocked.ts";
import { type Conv2dLayer, isConv2d } from "../layers/conv2d.ts";
import { ruleOf } from "../layers/layer.ts";
import { kindOf } from "../layers/mod.ts";
import type { Network } from "../network.ts";
import { nameOf } from "../state.ts";
import { flow } from "./channel_flow.ts";
import { Unions } from "./unions.ts";

/** Channels that are always there: those of the image, of whole layers, of the logits. */
export const FIXED = -1;

/**
 * Classes of channels that go together, and the convolutions that make them. A class has every
 * channel that has to go where one of it goes.
 */
export interface ChannelGroup {
  /** The convolutions each of which makes some channels of every class of the group. */
  readonly convolutions: readonly string[];
  /** Its classes, in the order of the channels of the first convolution. */
  readonly classes: readonly number[];
}

/** What the graph of a network says about channels that go together. */
export interface ChannelClasses {
  /** By layer: the class of each channel of its value, {@link FIXED} for those that stay. */
  readonly values: readonly (readonly number[])[];
  /** The number of classes. */
  readonly count: number;
  /** Names of the convolutions whose filters can be chosen. */
  readonly masked: readonly string[];
}

/** Channels of all values: those which masked convolutions make are numbered, and united. */
interface Channels {
  /** By layer: the number of each channel of its value. */
  readonly values: readonly (readonly number[])[];
  readonly unions: Unions;
}

/** Values of all layers where these convolutions are masked, and their classes. */
function classify(network: Network, masked: ReadonlySet<Conv2dLayer>): Channels {
  const unions = new Unions();
  const values = flow(network, {
    image: FIXED,
    made: (i, width) => {
      const layer = network.layers[i];
      const isMasked = isConv2d(layer) && masked.has(layer);
      return range(width).map(() => isMasked ? unions.add() : FIXED);
    },
    // One of two channels that does not stay, both united where there are two.
    tied: (a, b) => {
      if (a === FIXED || b === FIXED) return a === FIXED ? b : a;
      unions.merge(a, b);
      return a;
    },
  });
  return { values, unions };
}

/** The convolutions that make the channels of the last value: the logits. */
function classifiers(
  { layers }: Network,
  masked: ReadonlySet<Conv2dLayer>,
  { values, unions }: Channels,
): Conv2dLayer[] {
  const last = (values.at(-1) ?? []).filter((c) => c !== FIXED);
  if (!last.length) return [];
  const logits = new Set(last.map((c) => unions.find(c)));
  return layers.filter((layer, i) =>
    isConv2d(layer) && masked.has(layer) &&
    values[i].some((c) => c !== FIXED && logits.has(unions.find(c)))
  ).filter(isConv2d);
}

/**
 * Finds the channels that go together, from what each kind of layers says of its channels: sums and
 * products tie them one by one, grouped convolutions whole blocks, concatenations none. Convolutions
 * that `isMasked` names can be cut, but for those that are grouped, which follow their inputs, and
 * those that make the logits.
 */
export function channelClasses(
  network: Network,
  isMasked: (layer: Conv2dLayer) => boolean,
): ChannelClasses {
  const { layers } = network;
  const wanted = new Set(
    layers.filter(isConv2d).filter((layer) =>
      ruleOf(kindOf(layer), layer, [layer.in]) === "own" && isMasked(layer)
    ),
  );
  let channels = classify(network, wanted);
  const kept = classifiers(network, wanted, channels);
  if (kept.length) {
    for (const layer of kept) wanted.delete(layer);
    channels = classify(network, wanted);
  }
  const { unions } = channels;
  const numbers = new Map<number, number>();
  const classOf = (channel: number): number => {
    if (channel === FIXED) return FIXED;
    const root = unions.find(channel);
    const found = numbers.get(root) ?? numbers.size;
    numbers.set(root, found);
    return found;
  };
  // Values that are passed on are one list.
  const numbered = new Map<readonly number[], number[]>();
  const values = channels.values.map((value) => {
    const found = numbered.get(value) ?? value.map(classOf);
    numbered.set(value, found);
    return found;
  });
  const masked = layers.filter(isConv2d).filter((layer) => wanted.has(layer));
  return {
    values,
    count: numbers.size,
    masked: masked.map(({ name }) => name),
  };
}

/**
 * Classes that the same convolutions make, of each of which any part can be kept, in the order of
 * their first convolutions.
 */
export function channelGroups(
  { layers }: Network,
  { values, count, masked }: ChannelClasses,
): ChannelGroup[] {
  const places = new Map(layers.map((layer, i) => [nameOf(layer), i]));
  // By class: its group so far. Each convolution parts what it makes of a group from the rest.
  const groups: string[][] = [[]];
  const groupOf = new Int32Array(count);
  for (const name of masked) {
    const parted = new Map<number, number>();
    const made = new Set(values[places.get(name) ?? 0]);
    for (const found of made) {
      const before = groupOf[found];
      const after = parted.get(before) ?? groups.push([...groups[before], name]) - 1;
      parted.set(before, after);
      groupOf[found] = after;
    }
  }
  const members = new Map<number, number[]>();
  groupOf.forEach((group, found) => {
    const classes = members.get(group);
    if (classes) classes.push(found);
    else members.set(group, [found]);
  });
  return [...members].map(([group, classes]) => ({ convolutions: groups[group], classes }));
}

/** The filters of each masked convolution whose classes are kept, by name. */
export function filtersOf(
  { layers }: Network,
  { values, masked }: Pick<ChannelClasses, "values" | "masked">,
  isKept: (found: number) => boolean,
): Record<string, number[]> {
  const names = new Set(masked);
  return Object.fromEntries(
    layers.flatMap((layer, i) =>
      isConv2d(layer) && names.has(layer.name)
        ? [[layer.name, range(layer.out).filter((o) => isKept(values[i][o]))]]
        : []
    ),
  );
}

/** By class: how many channels of each value it has, as text; such classes may change places. */
export function classShapes({ values, count }: ChannelClasses): string[] {
  const shapes = Array<string>(count).fill("");
  [...new Set(values)].forEach((value, v) => {
    const counts = new Map<number, number>();
    for (const found of value) counts.set(found, (counts.get(found) ?? 0) + 1);
    for (const [found, n] of counts) if (found !== FIXED) shapes[found] += `${v}:${n} `;
  });
  return shapes;
}
