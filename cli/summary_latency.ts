import { timeLayers } from "../export/layer_timer.ts";
import { RUNTIME } from "../export/onnx_runtime.ts";
import type { Adjoined } from "../nn/compress/adjoin.ts";
import {
  layersKey,
  type LayerTable,
  LayerTimes,
  type LayerWork,
  layerWorks,
  type TimedLayers,
} from "../nn/compress/layer_works.ts";
import type { ImageSize } from "../nn/count.ts";
import { channelsOf, IMAGE, type Network } from "../nn/network.ts";
import { nameOf } from "../nn/state.ts";
import type { SmallName } from "../nn/which.ts";
import { processorTime } from "./processor_time.ts";
import { columns } from "./text.ts";

/**
 * A layer is too narrow to pay where more filters would take less than this part of what they would
 * in proportion: half of the filters save less than a quarter of the time.
 */
const PAYS = 1 / 3;

/** How often layers are timed: a difference of two has the errors of both. */
const ROUNDS = 6;

/** A layer of the small network that would take hardly longer with more filters. */
export interface NarrowLayer {
  readonly name: string;
  readonly filters: number;
  readonly milliseconds: number;
  /** Twice as many filters, or all of the base network's. */
  readonly wider: number;
  readonly widerMilliseconds: number;
}

/** Times of the layers of both networks for one image, on one thread. */
export interface SummaryLatency {
  readonly runtime: string;
  /** Milliseconds of all layers. */
  readonly base: number;
  readonly small: number;
  readonly tooNarrow: readonly NarrowLayer[];
}

/** The layers of a network, as they are timed. */
class Works {
  readonly all: readonly LayerWork[];
  readonly #network: Network;
  readonly #times: LayerTimes;
  readonly #channels: readonly number[];

  constructor(network: Network, image: ImageSize) {
    this.all = layerWorks(network);
    this.#network = network;
    this.#times = new LayerTimes(network, image);
    this.#channels = channelsOf(network);
  }

  nameOf({ layers: [first] }: LayerWork): string {
    return nameOf(this.#network.layers[first]);
  }

  filters({ layers: [first] }: LayerWork): number {
    return this.#channels[first];
  }

  /** A work with as many channels of its value as it has, or others. */
  timed(work: LayerWork, to: number = this.filters(work)): TimedLayers {
    const [x] = this.#network.layers[work.layers[0]].inputs;
    const from = x === IMAGE ? this.#network.channels : this.#channels[x];
    return this.#times.timed(work, { from, to });
  }
}

/** A layer that has fewer filters than in the base network, and how many more it is compared with. */
interface Narrowed {
  readonly name: string;
  readonly filters: number;
  readonly own: TimedLayers;
  readonly wider: number;
  readonly more: TimedLayers;
}

function narrowedOf(base: Works, small: Works): Narrowed[] {
  const whole = new Map(base.all.map((work) => [base.nameOf(work), base.filters(work)]));
  return small.all.flatMap((work) => {
    const name = small.nameOf(work);
    const [filters, all] = [small.filters(work), whole.get(name) ?? 0];
    if (!name || filters >= all) return [];
    const wider = Math.min(2 * filters, all);
    return [{ name, filters, own: small.timed(work), wider, more: small.timed(work, wider) }];
  });
}

/** The layers that are too narrow to pay, by a table of times. */
function tooNarrow(layers: readonly Narrowed[], table: LayerTable): NarrowLayer[] {
  return layers.flatMap(({ name, filters, own, wider, more }) => {
    const [milliseconds, widerMilliseconds] = [own, more].map((l) => table.get(layersKey(l)) ?? 0);
    const inProportion = milliseconds * (wider / filters - 1);
    return widerMilliseconds - milliseconds < PAYS * inProportion
      ? [{ name, filters, milliseconds, wider, widerMilliseconds }]
      : [];
  });
}

/** Times layers in onnxruntime-web, each once. */
export class LayerClock {
  readonly #known = new Map<string, number>();

  /** The times of these layers, and of those that were timed before. */
  async time(layers: readonly TimedLayers[]): Promise<LayerTable> {
    const known = this.#known;
    const found = await timeLayers(layers, { known, rounds: ROUNDS, now: processorTime });
    for (const [key, time] of found) known.set(key, time);
    return known;
  }
}

/** Times the layers of both networks. */
export async function summaryLatency(
  { base, small }: Pick<Adjoined, "base" | "small">,
  image: ImageSize,
  time: (layers: readonly TimedLayers[]) => Promise<LayerTable>,
): Promise<SummaryLatency> {
  const [whole, cut] = [base, small].map((network) => new Works(network, image));
  const narrowed = narrowedOf(whole, cut);
  const [ofBase, ofSmall] = [whole, cut].map((works) => works.all.map((work) => works.timed(work)));
  const more = narrowed.map((layer) => layer.more);
  const table = await time([...ofBase, ...ofSmall, ...more]);
  const total = (layers: readonly TimedLayers[]): number =>
    layers.reduce((sum, timed) => sum + (table.get(layersKey(timed)) ?? 0), 0);
  return {
    runtime: `onnxruntime-web ${RUNTIME}, one thread`,
    base: total(ofBase),
    small: total(ofSmall),
    tooNarrow: tooNarrow(narrowed, table),
  };
}

/** What layers take, and which are too narrow to pay, in lines of text. */
export function latencyText(
  { runtime, base, small, tooNarrow }: SummaryLatency,
  which: SmallName = "small",
): string {
  const took =
    `Layers take ${base.toFixed(2)} ms in the base network and ${small.toFixed(2)} ms in ` +
    `${which === "small" ? "the small one" : which} for one image in ${runtime}.`;
  if (tooNarrow.length === 0) return `${took}\nNone is too narrow to pay.\n`;
  const rows = tooNarrow.map(({ name, filters, milliseconds, wider, widerMilliseconds }) => [
    name,
    `${filters} filters`,
    `${milliseconds.toFixed(3)} ms`,
    `${wider} filters`,
    `${widerMilliseconds.toFixed(3)} ms`,
  ]);
  return [
    took,
    "Too narrow to pay, as more filters take less than a third of their share longer:",
    ...columns(rows),
  ].join("\n") + "\n";
}
