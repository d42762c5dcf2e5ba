import { range } from "../../kernels/wgsl/blocked.ts";
import type { GateChannelsAttributes } from "../../kernels/ops/gate_channels.ts";
import type { GateEachChannelAttributes } from "../../kernels/ops/gate_each_channel.ts";
import { isConv2d } from "../layers/conv2d.ts";
import { ruleOf } from "../layers/layer.ts";
import { kindOf, type Layer } from "../layers/mod.ts";
import { IMAGE, type Network, type Value } from "../network.ts";
import { type Candidates, isKept, keptByEach } from "./width_extents.ts";
import type { Place, Places } from "./width_places.ts";

/** A gate on a value: of the first channels of one group, or of channels of several ones. */
export type Gate = GateChannelsAttributes | GateEachChannelAttributes;

/** A gate in front of one input of a layer. */
export interface InputGate {
  /** The position of the input. */
  readonly input: number;
  /** The channels that it lets through. */
  readonly gate: Gate;
}

/** Where the gates of a network are. */
export interface PlacedGates {
  /** By layer: what its value is gated by: norms, and masked convolutions that no norm follows. */
  readonly gates: readonly (Gate | undefined)[];
  /** By layer: inputs that have channels which its value, made of them one by one, has not. */
  readonly inputGates: readonly (readonly InputGate[])[];
}

/** Bit i says whether candidate i lets a channel through. */
function bitsOf(place: Place | undefined, all: Candidates): number {
  return all.divisors.reduce((bits, _, i) => {
    return isKept(place, (_, size) => keptByEach(all, size)[i]) ? bits | 1 << i : bits;
  }, 0);
}

/** The gate of a value. */
function gateOf(places: Places, all: Candidates): Gate {
  const { divisors } = all;
  const candidates = places.map((place) => bitsOf(place, all));
  const groups = places.map((place) => place ? place.group : -1);
  const [group] = groups;
  const widths = divisors.map((_, i) => candidates.filter((bits) => bits >> i & 1).length);
  const first = widths.every((width, i) =>
    candidates.every((bits, c) => c < width === !!(bits >> i & 1))
  );
  const one = group >= 0 && groups.every((other) => other === group);
  return one && first ? { group, widths } : { groups, candidates };
}

/** Whether a layer makes channels that are 0 something else. */
function shifts(layer: Layer): boolean {
  return kindOf(layer).shifts?.(layer) === true;
}

/**
 * Finds where gates have to be, so that channels which a choice leaves out are 0 wherever others are
 * made of them: behind norms, whose shifts would let them through again, and behind masked
 * convolutions without one; in front of sums and the like, where one input has channels that another
 * has not. A factor needs none where the other has one: squeeze-and-excitation.
 */
export function placeGates(
  network: Network,
  values: readonly Places[],
  candidates: Candidates,
): PlacedGates {
  const { layers } = network;
  const made = new Map<Places, Gate>();
  const gateFor = (places: Places): Gate => {
    const gate = made.get(places) ?? gateOf(places, candidates);
    made.set(places, gate);
    return gate;
  };
  const users = layers.map((): number[] => []);
  layers.forEach(({ inputs }, i) => {
    for (const value of new Set(inputs)) if (value !== IMAGE) users[value].push(i);
  });
  const isOpen = (places: Places): boolean => places.some((place) => place);
  const of = (value: Value): Places =>
    value === IMAGE ? Array<undefined>(network.channels).fill(undefined) : values[value];
  const rules = layers.map((layer) =>
    ruleOf(kindOf(layer), layer, layer.inputs.map((value) => of(value).length))
  );
  // Values whose gate comes later, by layer.
  const late = layers.map(() => false);
  const gates = layers.map((layer, i): Gate | undefined => {
    if (!isOpen(values[i]) || !(rules[i] === "own" || shifts(layer))) return;
    const [only, ...others] = users[i];
    if (only !== undefined && !others.length) {
      const { vanishes } = kindOf(layers[only]);
      const factors = layers[only].inputs.filter((value) => value !== i);
      // Behind a norm, or where another factor is 0.
      late[i] = isConv2d(layer) && rules[only] !== "own" && shifts(layers[only]) ||
        vanishes === true && factors.some((value) => value !== IMAGE && !late[value]);
    }
    return late[i] ? undefined : gateFor(values[i]);
  });
  const inputGates = layers.map(({ inputs }, i): InputGate[] => {
    const rule = rules[i];
    if (
      !isOpen(values[i]) || (rule !== "tied" && !(typeof rule === "object" && "blocks" in rule))
    ) {
      return [];
    }
    return inputs.flatMap((value, input) => {
      const has = of(value);
      const wanted = rule === "tied" ? values[i] : perBlock(values[i], rule.blocks, has.length);
      const apart = has.some((place, c) =>
        bitsOf(place, candidates) !== bitsOf(wanted[c], candidates)
      );
      return apart ? [{ input, gate: gateFor(wanted) }] : [];
    });
  });
  return { gates, inputGates };
}

/** The places that so many channels of an input need, of which blocks of a value are made. */
function perBlock(places: Places, blocks: number, width: number): Places {
  const [after, before] = [places.length / blocks, width / blocks];
  return range(width).map((c) => places[Math.floor(c / before) * after]);
}
