import { messageOf } from "../data/message_of.ts";
import { DataError } from "../data/error.ts";
import { printable } from "../data/printable.ts";
import { plural } from "../data/words.ts";
import type { OnnxNetwork } from "../export/onnx_network.ts";
import { classifiersOf } from "../nn/classifiers.ts";
import type { Layer } from "../nn/layers/mod.ts";
import { classesOf, type Network } from "../nn/network.ts";
import { encodeNetwork, parseNetwork } from "../nn/network_json.ts";
import { UsageError } from "./errors.ts";
import type { Given } from "./given.ts";
import type { RunOfState } from "./resume/run_state.ts";

/**
 * The network with as many outputs as there are classes. Raises a {@link UsageError} for one whose
 * logits are not made by one layer.
 */
export function withClasses(network: Network, classes: number, file: string): Network {
  const own = classesOf(network);
  if (own === classes) return network;
  const makers = classifiersOf(network);
  const layers = network.layers.map((layer): Layer =>
    makers.has(layer) && "out" in layer ? { ...layer, out: classes } : layer
  );
  const other = { ...network, layers };
  if (makers.size === 1 && classesOf(other) === classes) return other;
  throw new UsageError(
    `Cannot use ${
      printable(file, 300)
    } for ${classes} classes in the place of its ${own}: wanted ` +
      `logits that one layer makes, found ${makers.size}`,
  );
}

/** A network of a file as a run trains it. */
export interface GivenNetwork {
  readonly network: Network;
  /** Its weights. */
  readonly given: Given;
}

/**
 * The network of a file for images, with its weights to start from. Raises a {@link UsageError} for
 * images of other channels.
 */
export function givenNetwork(
  { network, tensors, image, metadata, notes }: OnnxNetwork,
  images: {
    readonly name: string;
    readonly classes: readonly string[];
    readonly channels: number;
    readonly height: number;
    readonly width: number;
  },
  fileName: string,
): GivenNetwork {
  const file = printable(fileName, 300);
  const { classes: { length }, channels, height, width, name } = images;
  if (network.channels !== channels) {
    throw new UsageError(
      `Cannot use ${file} for ${name}: wanted images of ${plural(network.channels, "channel")}, ` +
        `found ${channels}; take other images, or another model`,
    );
  }
  const sides = (size: { height: number; width: number }) => `${size.height}x${size.width}`;
  const others = sides(image) === sides(images)
    ? []
    : [`${file} is for images of ${sides(image)}, these are of ${height}x${width}`];
  return {
    network: withClasses(network, length, file),
    given: { file, tensors, others: [], metadata, notes: [...notes, ...others] },
  };
}

/** The network of a run as its states have it, where it is one of a file. */
export function savedNetwork(network: Network | undefined): Pick<RunOfState, "network"> {
  return network ? { network: encodeNetwork(network) } : {};
}

/** The inverse of {@link savedNetwork}. Raises a {@link DataError} for what is no network. */
export function networkOfRun({ network }: RunOfState): Network | undefined {
  if (network === undefined) return undefined;
  try {
    return parseNetwork(network, "the network of the run");
  } catch (cause) {
    throw new DataError(messageOf(cause), { cause });
  }
}
