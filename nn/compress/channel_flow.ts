import { range } from "../../kernels/wgsl/blocked.ts";
import { ruleOf } from "../layers/layer.ts";
import { kindOf } from "../layers/mod.ts";
import { channelsOf, IMAGE, type Network, type Value } from "../network.ts";

/** Something about each channel of a value, in order. */
export type PerChannel<T> = readonly T[];

/** What is said of channels as they go through a network. */
export interface ChannelFlow<T> {
  /** That of a channel of the image. */
  readonly image: T;
  /** That of the channels that layer `i` makes of all channels of its input. */
  readonly made: (i: number, width: number) => PerChannel<T>;
  /** That of a channel which is made of two that are tied. */
  readonly tied: (a: T, b: T) => T;
}

/**
 * By layer: what is said of each channel of its value, from what its kind says of where they come
 * from. Values that are passed on as they are have one list.
 */
export function flow<T>(network: Network, { image, made, tied }: ChannelFlow<T>): PerChannel<T>[] {
  const widths = channelsOf(network);
  const ofImage = Array<T>(network.channels).fill(image);
  const values: PerChannel<T>[] = [];
  const of = (value: Value): PerChannel<T> => value === IMAGE ? ofImage : values[value];
  network.layers.forEach((layer, i) => {
    const inputs = layer.inputs.map(of);
    const rule = ruleOf(kindOf(layer), layer, inputs.map(({ length }) => length));
    const all = inputs.length === 1 ? inputs[0] : inputs.flat();
    const through = (): PerChannel<T> => {
      if (rule === "own") return made(i, widths[i]);
      if (rule === "passed") return all;
      if (rule === "tied") {
        return inputs.reduce((a, b) => a === b ? a : a.map((channel, c) => tied(channel, b[c])));
      }
      if ("sources" in rule) return rule.sources.map((c) => all[c]);
      const [before, after] = [all.length / rule.blocks, widths[i] / rule.blocks];
      return range(rule.blocks).flatMap((b) => {
        const block = all.slice(b * before, (b + 1) * before);
        return Array<T>(after).fill(block.reduce(tied));
      });
    };
    values.push(through());
  });
  return values;
}
