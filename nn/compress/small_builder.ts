import { range } from "../../kernels/wgsl/blocked.ts";
import { type ChannelRule, ruleOf, type SmallLayer } from "../layers/layer.ts";
import { kindOf, type Layer } from "../layers/mod.ts";
import { narrowTo } from "../layers/narrow.ts";
import { selectFrom } from "../layers/select.ts";
import { IMAGE, layerTitle, type Network, type Value } from "../network.ts";

/** The channels of the base network that the small one has, by index, in its own order. */
export type Channels = readonly number[];

/** The channels of the base network that a layer of the small network reads and makes. */
export interface KeptChannels {
  /** Those of its first input. */
  readonly from: Channels;
  /** Those of its value. */
  readonly to: Channels;
}

/** The filters and the taps that are kept of a masked convolution. */
export interface Mask {
  /** The filters, by index. */
  readonly filters: Channels;
  /** By tap of the kernel: whether it is kept. Default: all are. */
  readonly keptTaps?: readonly boolean[];
}

/** Whether two lists are equal. */
function same(a: Channels, b: Channels): boolean {
  return a === b || (a.length === b.length && a.every((c, i) => c === b[i]));
}

/** Whether a list is the first so many numbers. */
export function isPrefix(list: Channels): boolean {
  return list.every((c, i) => c === i);
}

/** The small network, layer by layer. */
export class SmallBuilder {
  /** Its layers. */
  readonly layers: Layer[] = [];
  /** By layer: that of the base network for which it stands, -1 where it cuts a value. */
  readonly origin: number[] = [];
  /** By layer: the channels that are kept. */
  readonly kept: KeptChannels[] = [];
  /** By layer of the base network: the value that stands for it. */
  readonly #values: Value[] = [];
  readonly #base: Network;
  readonly #baseChannels: readonly number[];

  /** Begins without layers; `channels` are those of each value of the base network. */
  constructor(base: Network, channels: readonly number[]) {
    this.#base = base;
    this.#baseChannels = channels;
  }

  #kept(value: Value): Channels {
    return value === IMAGE ? range(this.#base.channels) : this.kept[value].to;
  }

  #add(layer: Layer, origin: number, to: Channels): Value {
    this.kept.push({ from: this.#kept(layer.inputs[0]), to });
    this.origin.push(origin);
    return this.layers.push(layer) - 1;
  }

  /** A value with these of its channels alone, in this order. */
  #cut(value: Value, to: Channels): Value {
    const kept = this.#kept(value);
    if (same(kept, to)) return value;
    const places = new Map(kept.map((c, place) => [c, place]));
    const positions = to.map((c) => places.get(c) ?? -1);
    const layer = isPrefix(positions)
      ? narrowTo(value, positions.length)
      : selectFrom(value, positions);
    return this.#add(layer, -1, to);
  }

  /** Raises a `RangeError` where a layer is left without channels. */
  #refuse(i: number, reason: string): never {
    throw new RangeError(
      `Cannot adjoin: layer ${i} (${
        layerTitle(this.#base.layers[i])
      }) is left without channels, as ` +
        `${reason}; mask fewer of the convolutions before it, as with a maskFrom behind it, or keep ` +
        `more of their filters`,
    );
  }

  /** Adds what stands for layer `i` of the base network. */
  stand(i: number, mask: Mask | undefined): void {
    const layer = this.#base.layers[i];
    const inputs = layer.inputs.map((v) => v === IMAGE ? IMAGE : this.#values[v]);
    const widths = layer.inputs.map((v) =>
      v === IMAGE ? this.#base.channels : this.#baseChannels[v]
    );
    const rule = ruleOf(kindOf(layer), layer, widths);
    this.#values[i] = this.#standBy(rule, i, { inputs, widths, mask });
  }

  #standBy(
    rule: ChannelRule,
    i: number,
    { inputs, widths, mask }: {
      inputs: readonly Value[];
      widths: readonly number[];
      mask: Mask | undefined;
    },
  ): Value {
    const lists = inputs.map((v) => this.#kept(v));
    if (rule === "own") {
      const to = mask?.filters ?? range(this.#baseChannels[i]);
      return this.#narrowed(i, inputs, to, {
        ...mask && {
          mask: { out: to.length, ...mask.keptTaps && { keptTaps: mask.keptTaps } },
        },
      });
    }
    if (rule === "passed" && lists.length === 1) return this.#narrowed(i, inputs, lists[0], {});
    if (rule === "passed") {
      let start = 0;
      const to = lists.flatMap((list, k) => {
        start += k ? widths[k - 1] : 0;
        return list.map((c) => start + c);
      });
      return this.#narrowed(i, inputs, to, {});
    }
    if (rule === "tied") {
      const shortest = lists.reduce((a, b) => b.length < a.length ? b : a);
      const sets = lists.filter((list) => !same(list, shortest)).map((list) => new Set(list));
      const common = sets.length
        ? shortest.filter((c) => sets.every((set) => set.has(c)))
        : shortest;
      if (!common.length) this.#refuse(i, "its inputs have kept no channel in common");
      return this.#narrowed(i, inputs.map((v) => this.#cut(v, common)), common, {});
    }
    if ("sources" in rule) return this.#standBySources(i, inputs, rule.sources);
    const [before, after] = [widths[0] / rule.blocks, this.#baseChannels[i] / rule.blocks];
    const set = new Set(lists[0]);
    const blocks = range(rule.blocks).filter((b) =>
      range(before).every((c) => set.has(b * before + c))
    );
    if (!blocks.length) this.#refuse(i, "no block of its groups is kept whole");
    const spread = (size: number): number[] =>
      blocks.flatMap((b) => range(size).map((c) => b * size + c));
    const cut = this.#cut(inputs[0], spread(before));
    return this.#narrowed(i, [cut], spread(after), { blocks: blocks.length });
  }

  /** A layer that takes channels of its input: as its kind narrows it, else by their indices. */
  #standBySources(i: number, inputs: readonly Value[], sources: Channels): Value {
    const [list] = inputs.map((v) => this.#kept(v));
    const places = new Map(list.map((c, place) => [c, place]));
    const to = range(sources.length).filter((c) => places.has(sources[c]));
    if (!to.length) this.#refuse(i, "none of the channels that it takes is kept");
    const positions = to.map((c) => places.get(sources[c]) ?? -1);
    const layer = this.#base.layers[i];
    const kind = kindOf(layer);
    const widths = [list.length];
    const small = kind.narrowed?.(layer, { inputs, widths });
    const rule = small && ruleOf(kind, small, widths);
    const fits = typeof rule === "object" && "sources" in rule && same(rule.sources, positions);
    return fits
      ? this.#narrowed(i, inputs, to, {})
      : this.#add(selectFrom(inputs[0], positions), i, to);
  }

  #narrowed(
    i: number,
    inputs: readonly Value[],
    to: Channels,
    more: Pick<SmallLayer, "mask" | "blocks">,
  ): Value {
    const layer = this.#base.layers[i];
    const widths = inputs.map((v) => this.#kept(v).length);
    const narrowed = kindOf(layer).narrowed?.(layer, { inputs, widths, ...more });
    // Kinds give layers of their own kind.
    return this.#add((narrowed ?? { ...layer, inputs }) as Layer, i, to);
  }
}
