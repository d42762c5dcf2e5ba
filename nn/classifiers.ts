import { ruleOf } from "./layers/layer.ts";
import { kindOf, type Layer } from "./layers/mod.ts";
import { channelsOf, IMAGE, type Network, type Value } from "./network.ts";

/**
 * The layers that make the classes: the last one, or the convolutions whose channels it passes on.
 */
export function classifiersOf(network: Network): Set<Layer> {
  const { layers } = network;
  const channels = channelsOf(network);
  const width = (v: Value): number => v === IMAGE ? network.channels : channels[v];
  const found = new Set<Layer>();
  const seen = new Set<Value>([IMAGE]);
  const visit = (value: Value): void => {
    if (seen.has(value)) return;
    seen.add(value);
    const layer = layers[value];
    const rule = ruleOf(kindOf(layer), layer, layer.inputs.map(width));
    if (rule === "own" || (typeof rule === "object" && "blocks" in rule)) found.add(layer);
    else layer.inputs.forEach(visit);
  };
  visit(layers.length - 1);
  return found;
}
