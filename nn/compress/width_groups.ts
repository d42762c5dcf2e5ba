import { curable, cure } from "../../data/cure.ts";
import { maskRule } from "./adjoin.ts";
import { type Conv2dLayer, isConv2d } from "../layers/conv2d.ts";
import { kindOf, type Layer } from "../layers/mod.ts";
import { channelsOf, IMAGE, layerTitle, type Network, type Value } from "../network.ts";
import { ruleOf } from "../layers/layer.ts";
import { checkChoice, checkOptionNames } from "../options.ts";
import { Unions } from "./unions.ts";

/** Convolutions that must be equally wide, as their outputs are added. */
export interface WidthGroup {
  /** The first of its convolutions. */
  readonly name: string;
  /** The names of all of them. */
  readonly convolutions: readonly string[];
}

/** The channels that are left of a value, for each candidate that its group may choose. */
export interface Extent {
  /** The index of the group, -1 for a value that is always whole. */
  readonly group: number;
  /** Channels, by candidate. */
  readonly widths: readonly number[];
}

/** The extent of a value that is always whole. */
export function wholeExtent(channels: number, divisors: readonly number[]): Extent {
  return { group: -1, widths: divisors.map(() => channels) };
}

/** A gate in front of one input of a layer. */
export interface InputGate {
  /** The position of the input. */
  readonly input: number;
  /** The channels that it lets through. */
  readonly extent: Extent;
}

/** The choices that a search has in a network, and what follows from them. */
export interface WidthGroups {
  /** The divisors of the numbers of filters, by candidate. */
  readonly divisors: readonly number[];
  /** In the order of their first convolutions. */
  readonly groups: readonly WidthGroup[];
  /** By layer: the channels of its value. */
  readonly extents: readonly Extent[];
  /** By layer: what its value is gated by: norms, and masked convolutions that no norm follows. */
  readonly gates: readonly (Extent | undefined)[];
  /** By layer: summands that are wider than their sum, as the narrow one has to be. */
  readonly inputGates: readonly (readonly InputGate[])[];
}

/** The options of {@link widthGroups}: the convolutions that are searched, and their candidates. */
export interface WidthOptions {
  /**
   * The first stage whose widths are searched, as in {@link AdjoinOptions.maskFrom}. Default: 2.
   */
  readonly maskFrom?: number | ((layer: Conv2dLayer) => boolean);
  /** Candidates keep `floor(filters / divisor)`, but at least one filter. Default: 1, 2, 4. */
  readonly divisors?: readonly number[];
  /**
   * `sums` (default): convolutions whose outputs are added share one group, and costs are exact.
   * `stages`: only those of one stage do. Where the output of a stage is added unchanged in the
   * next, each summand keeps its own mask, the cost is that of the next stage's group, and the
   * network that a choice makes is as wide there as the narrower summand.
   */
  readonly tie?: "sums" | "stages";
}

/** Raises a `RangeError` where what is kept of a joined value would be no prefix. */
function checkJoined(layer: Layer, i: number, owners: readonly number[]): void {
  if (owners.every((owner) => owner < 0)) return;
  throw new RangeError(
    `Cannot choose widths: wanted whole inputs of layer ${i} (${
      layerTitle(layer)
    }), found one of ` +
      `which a masked convolution leaves a part; mask none before it, as with a maskFrom behind it`,
  );
}

/** By layer: the index of the group of its value, -1 for none; and the groups. */
function tie(
  network: Network,
  masked: (layer: Conv2dLayer) => boolean,
  across: boolean,
): { owners: number[]; groups: WidthGroup[] } {
  const { layers } = network;
  const widths = channelsOf(network);
  const width = (value: Value): number => value === IMAGE ? network.channels : widths[value];
  const unions = new Unions();
  const convolutions: Conv2dLayer[] = [];
  const owners: number[] = [];
  const of = (value: Value): number => value === IMAGE ? -1 : owners[value];
  layers.forEach((layer, i) => {
    const [a, b] = layer.inputs.map(of);
    const all = layer.inputs.map(of);
    const rule = ruleOf(kindOf(layer), layer, layer.inputs.map(width));
    if (rule === "own") {
      const free = !isConv2d(layer) || !masked(layer);
      owners.push(free ? -1 : unions.add());
      if (!free) convolutions.push(layer);
    } else if (rule === "tied") {
      const alike = across || convolutions[a]?.stage === convolutions[b]?.stage;
      if (a >= 0 && b >= 0 && alike) unions.merge(a, b);
      owners.push(Math.max(a, b));
    } else if (all.length > 1) {
      checkJoined(layer, i, all);
      owners.push(-1);
    } else owners.push(a);
  });
  const roots = [...new Set(convolutions.map((_, i) => unions.find(i)))];
  const groupOf = (owner: number): number => owner < 0 ? -1 : roots.indexOf(unions.find(owner));
  const groups = roots.map((root): WidthGroup => ({
    name: convolutions[root].name,
    convolutions: convolutions.filter((_, i) => unions.find(i) === root).map(({ name }) => name),
  }));
  return { owners: owners.map(groupOf), groups };
}

function checkDivisors(divisors: readonly number[]): void {
  const bad = divisors.find((d) => !(Number.isFinite(d) && d >= 1));
  const equal = new Set(divisors).size < divisors.length;
  if (bad !== undefined || equal || divisors.length < 2 || divisors.length > 8) {
    throw new RangeError(
      `Cannot search widths: wanted 2 to 8 different divisors from 1 on, found ${
        divisors.join(", ")
      }`,
    );
  }
}

function same(a: Extent, b: Extent): boolean {
  return a.widths.every((width, i) => width === b.widths[i]);
}

/**
 * Ties the masked convolutions of a network into groups, so that every choice of candidates makes a
 * network: summands are equally wide. Raises a `RangeError` for divisors that are no choice.
 */
export function widthGroups(network: Network, options: WidthOptions): WidthGroups {
  checkOptionNames("search widths", options, ["maskFrom", "divisors", "tie"]);
  const { maskFrom, divisors = [1, 2, 4], tie: ties = "sums" } = options;
  checkChoice("search widths", "tie", ties, ["sums", "stages"]);
  checkDivisors(divisors);
  const masked = maskRule(network, maskFrom);
  const { owners, groups } = tie(network, masked, ties === "sums");
  if (!groups.length) {
    throw curable(
      RangeError,
      "Cannot search widths: no convolution is masked",
      cure`lower ${{ option: "maskFrom" }}`,
    );
  }
  const { layers } = network;
  const extents: Extent[] = [];
  const of = (value: Value): Extent =>
    value === IMAGE ? wholeExtent(network.channels, divisors) : extents[value];
  layers.forEach((layer, i) => {
    const kind = kindOf(layer);
    const all = layer.inputs.map(of);
    // Of summands from different groups, the one that the sum belongs to.
    const tied = kind.channels?.(layer, all.map(({ widths: [width] }) => width)) === "tied";
    const apart = tied && all.every(({ group }) => group >= 0) &&
      all[0].group !== all[1].group;
    const inputs = apart ? all.filter(({ group }) => group === owners[i]) : all;
    const least = divisors.map((_, k) => Math.min(...inputs.map(({ widths }) => widths[k])));
    const widths = isConv2d(layer) && masked(layer)
      ? divisors.map((d) => Math.max(1, Math.floor(layer.out / d)))
      : tied
      ? least
      : divisors.map((_, k) =>
        kind.width?.(layer, all.map((extent) => extent.widths[k])) ?? least[k]
      );
    extents.push({ group: owners[i], widths });
  });
  const users = layers.map((_, i) =>
    layers.flatMap(({ inputs }, j) => inputs.some((value) => value === i) ? [j] : [])
  );
  // After a norm, whose shift would let channels through again; after a convolution without one.
  const gates = layers.map((layer, i): Extent | undefined => {
    if (kindOf(layer).shifts) return extents[i].group >= 0 ? extents[i] : undefined;
    if (!isConv2d(layer) || !masked(layer)) return;
    const [only, ...others] = users[i];
    const normed = only !== undefined && !others.length && kindOf(layers[only]).shifts;
    return normed ? undefined : extents[i];
  });
  const inputGates = layers.map((layer, i) =>
    kindOf(layer).channels?.(layer, layer.inputs.map((v) => of(v).widths[0])) === "tied" &&
      extents[i].group >= 0
      ? layer.inputs.flatMap((value, input) =>
        same(of(value), extents[i]) ? [] : [{ input, extent: extents[i] }]
      )
      : []
  );
  return { divisors, groups, extents, gates, inputGates };
}

/** The candidate widths of group g; those of its first value. */
export function widthsOfGroup({ extents }: WidthGroups, g: number): readonly number[] {
  return extents.find(({ group }) => group === g)?.widths ?? [];
}

/** Filters of each masked convolution when group g chooses candidate `choice[g]`. */
export function chosenWidths(
  network: Network,
  { groups, extents }: WidthGroups,
  choice: readonly number[],
): Record<string, number> {
  const names = new Set(groups.flatMap(({ convolutions }) => convolutions));
  return Object.fromEntries(
    network.layers.flatMap((layer, i) =>
      isConv2d(layer) && names.has(layer.name)
        ? [[layer.name, extents[i].widths[choice[extents[i].group]]]]
        : []
    ),
  );
}

/**
 * The choice that makes a network of such widths, as of {@link chosenWidths}; nothing where none does.
 */
export function choiceOf(
  network: Network,
  groups: WidthGroups,
  widths: Readonly<Record<string, number>>,
): number[] | undefined {
  const { layers } = network;
  const choice = groups.groups.map(({ convolutions }) =>
    groups.divisors.findIndex((_, candidate) =>
      layers.every((layer, i) =>
        !isConv2d(layer) || !convolutions.includes(layer.name) ||
        groups.extents[i].widths[candidate] === widths[layer.name]
      )
    )
  );
  return choice.includes(-1) ? undefined : choice;
}
