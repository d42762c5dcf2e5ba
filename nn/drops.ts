import { curable, cure } from "../data/cure.ts";
import { classifiersOf } from "./classifiers.ts";
import { kindOf, type Layer } from "./layers/mod.ts";
import { IMAGE, type Network, type Value } from "./network.ts";
import { checkOptionNames } from "./options.ts";

/** What a network drops at random in training. */
export interface DropOptions {
  /** The share of what the classifier reads that is dropped, from 0 to below 1. Default: 0. */
  readonly drop?: number;
  /**
   * The probability that the branch of the last residual block is dropped, from 0 to below 1; it
   * grows linearly from 0 at the first. Default: 0.
   */
  readonly dropPath?: number;
}

/** Raises a `RangeError` for a share that is none. */
function checkShare(name: string, share: number): void {
  if (share >= 0 && share < 1) return;
  throw new RangeError(
    `Cannot drop values: wanted ${name} from 0 to below 1, found ${share}`,
  );
}

/** By layer: the layers on the longest way from the image to its value. */
function depthsOf({ layers }: Network): number[] {
  const depths: number[] = [];
  for (const { inputs } of layers) {
    depths.push(1 + Math.max(...inputs.map((v) => v === IMAGE ? 0 : depths[v])));
  }
  return depths;
}

/** The branch of each sum: the summand that more layers make. */
function branchesOf(network: Network): Map<Layer, number> {
  const { layers } = network;
  const depths = depthsOf(network);
  const depth = (v: Value): number => v === IMAGE ? 0 : depths[v];
  return new Map(layers.flatMap((layer) => {
    if (kindOf(layer).absorbedAs !== "sum") return [];
    const [a, b] = layer.inputs;
    return [[layer, depth(b) > depth(a) ? 1 : 0] as const];
  }));
}

/**
 * The network with dropout before what makes the classes, and with stochastic depth on the branch of
 * each residual block, the summand that more layers make. Evaluation, parameters and names stay as
 * they are. Raises a `RangeError` for shares outside [0, 1), and where there is no residual block.
 */
export function withDrops(network: Network, options: DropOptions): Network {
  checkOptionNames("drop values", options, ["drop", "dropPath"]);
  const { drop = 0, dropPath = 0 } = options;
  checkShare("drop", drop);
  checkShare("dropPath", dropPath);
  if (drop === 0 && dropPath === 0) return network;
  const branches = branchesOf(network);
  if (dropPath > 0 && branches.size === 0) {
    throw curable(
      RangeError,
      "Cannot drop paths: wanted a network with residual blocks, found one without a sum",
      cure`leave out ${{ option: "dropPath" }}`,
    );
  }
  const rates = new Map(
    [...branches.keys()].map((layer, i) =>
      [layer, branches.size > 1 ? dropPath * i / (branches.size - 1) : dropPath] as const
    ),
  );
  const classifiers = classifiersOf(network);
  const layers: Layer[] = [];
  // By layer of the network: the value that stands for it.
  const values: Value[] = [];
  const of = (v: Value): Value => v === IMAGE ? IMAGE : values[v];
  const dropped = (kind: "dropout" | "dropPath", x: Value, rate: number): Value =>
    layers.push({ kind, inputs: [x], rate }) - 1;
  network.layers.forEach((layer) => {
    const inputs = layer.inputs.map(of);
    const branch = branches.get(layer);
    const rate = rates.get(layer) ?? 0;
    if (branch !== undefined && rate > 0) {
      inputs[branch] = dropped("dropPath", inputs[branch], rate);
    }
    if (classifiers.has(layer) && drop > 0) inputs[0] = dropped("dropout", inputs[0], drop);
    // Each layer has as many inputs as before.
    values.push(layers.push({ ...layer, inputs } as Layer) - 1);
  });
  return { ...network, layers };
}
