import { messageOf } from "../data/message_of.ts";
import { DataError } from "../data/error.ts";
import { printable, printableJson } from "../data/printable.ts";
import { encodeSafetensors, isFloat, parseSafetensors } from "../data/safetensors.ts";
import { adjoin, type Widths } from "../nn/compress/adjoin.ts";
import { sizesOf } from "../nn/count.ts";
import { fromTorch, isEqual, shapeText, torchShape, toTorch } from "../nn/layout.ts";
import { classesOf, type Network } from "../nn/network.ts";
import { encodeNetwork, parseNetwork } from "../nn/network_json.ts";
import type { ParameterSpec, State } from "../nn/parameters.ts";
import { model, type Variant } from "../nn/families/mod.ts";
import { networkSpecs, storedState } from "../nn/state.ts";
import { wrongValue } from "../nn/wrong_value.ts";
import {
  type CheckpointInfo,
  encodeInfo,
  type Metadata,
  metadataField,
  parseInfo,
} from "./metadata.ts";
import type { Which } from "../nn/which.ts";

/** The description of a network in files from before networks were saved as they are. */
interface Architecture {
  /** A name that {@link model} knows. */
  readonly model: string;
  /** Default: the one of the model's family. */
  readonly stem?: "authors" | "cifar";
  /** Default: `xresnet`. */
  readonly variant?: Variant;
  /** The whole network, or the small one. */
  readonly which: Which;
  /** The options by which the small network was cut out; absent for a base network. */
  readonly adjoined?: {
    readonly compression: number;
    readonly trunk: "shared" | "separate";
    readonly maskFrom: number;
    readonly widths: Widths;
    readonly keptTaps: Readonly<Record<string, readonly boolean[]>>;
  };
}

/** A network with its weights, as saved. */
export interface Checkpoint extends CheckpointInfo {
  /** Its layers. */
  readonly network: Network;
  /** Its weights and running statistics. */
  readonly state: State;
}

/** The specs of all that is saved of a network. */
function savedSpecs(network: Network): ParameterSpec[] {
  const { parameters, statistics } = networkSpecs(network);
  return [...parameters, ...statistics];
}

/** Raises a `TypeError` for a network that is not one for its images and classes. */
function checkFit(network: Network, { classes, image }: CheckpointInfo): void {
  const [height, width, channels] = image;
  if (classesOf(network) !== classes.length || network.channels !== channels) {
    throw new TypeError(
      `wanted a network that tells ${classes.length} classes of images with ${channels} channels ` +
        `apart, found one for ${classesOf(network)} classes and ${network.channels} channels`,
    );
  }
  sizesOf(network, { height, width });
}

/** Raises a `TypeError` for what {@link parseCheckpoint} would refuse. */
function checkSaved(network: Network, state: State, info: CheckpointInfo): void {
  try {
    checkFit(network, info);
  } catch (cause) {
    throw new TypeError(`Cannot save the network: ${messageOf(cause)}`, { cause });
  }
  for (const { name, shape } of savedSpecs(network)) {
    const values = state.get(name);
    const count = shape.reduce((product, d) => product * d, 1);
    if (values?.length !== count) {
      throw new TypeError(
        `Cannot save the network: wanted ${count} numbers as ${name}, found ` +
          (values?.length ?? "none"),
      );
    }
    const wrong = wrongValue(name, values);
    if (!wrong) continue;
    const { wanted, found } = wrong;
    throw new TypeError(
      `Cannot save the network: wanted ${wanted} as ${name}, found ${found}`,
    );
  }
}

/**
 * A network as safetensors bytes: names and layouts of torchvision and timm, so that PyTorch loads
 * them as they are; the network itself and all else in the metadata. Weights of taps that a
 * convolution does not keep become zeros. Raises a `TypeError` for what {@link parseCheckpoint}
 * would refuse: layers and values that do not fit, no numbers, variances below 0.
 */
export function encodeCheckpoint(
  network: Network,
  state: State,
  info: CheckpointInfo,
): Uint8Array<ArrayBuffer> {
  const metadata = { format: "pt", network: encodeNetwork(network), ...encodeInfo(info) };
  checkSaved(network, state, info);
  const stored = storedState(network, state);
  const tensors = savedSpecs(network).flatMap(({ name, shape }) => {
    const values = stored.get(name);
    return values ? [[name, toTorch(values, shape)] as const] : [];
  });
  return encodeSafetensors(tensors, metadata);
}

/** The network that an architecture describes. */
function build(
  { model: name, stem, variant, which, adjoined }: Architecture,
  { classes, channels }: { classes: number; channels: number },
): Network {
  const base = model(name, { classes, channels, stem, variant });
  if (which === "base" || !adjoined) return base;
  const { compression, trunk, maskFrom, widths, keptTaps } = adjoined;
  return adjoin(base, { compression, trunk, maskFrom, widths, keptTaps }).small;
}

/** The network by the names that files had before they had the network itself. */
function namedNetwork(metadata: Metadata, file: string): [Network, CheckpointInfo] {
  const found = metadataField(metadata, "architecture", file);
  if (typeof found !== "object" || found === null) {
    throw new DataError(
      `Cannot load ${file}: wanted an object as architecture in its metadata, found ` +
        printableJson(found),
    );
  }
  const architecture = found as Architecture;
  const which: unknown = Object.hasOwn(found, "which") ? architecture.which : undefined;
  const info = parseInfo(
    { ...metadata, which: typeof which === "string" ? which : printableJson(which) },
    file,
  );
  const { classes, image: [, , channels] } = info;
  try {
    return [build(architecture, { classes: classes.length, channels }), info];
  } catch (cause) {
    throw new DataError(
      `Cannot load ${file}: its architecture cannot be built. ${printable(messageOf(cause), 300)}`,
      { cause },
    );
  }
}

function ownNetwork(metadata: Metadata, file: string): [Network, CheckpointInfo] {
  const info = parseInfo(metadata, file);
  try {
    return [parseNetwork(metadata.network, `the network in ${file}`), info];
  } catch (cause) {
    throw new DataError(messageOf(cause), { cause });
  }
}

/**
 * The inverse of {@link encodeCheckpoint}. Raises a {@link DataError} that names the file for anything
 * else.
 */
export function parseCheckpoint(bytes: Uint8Array, fileName: string): Checkpoint {
  const file = printable(fileName, 300);
  const { tensors, metadata } = parseSafetensors(bytes, file);
  const [network, info] = Object.hasOwn(metadata, "network")
    ? ownNetwork(metadata, file)
    : namedNetwork(metadata, file);
  try {
    checkFit(network, info);
  } catch (cause) {
    throw new DataError(`Cannot load ${file}: ${messageOf(cause)}`, { cause });
  }
  const state: State = new Map();
  for (const { name, shape } of savedSpecs(network)) {
    const wanted = torchShape(shape);
    const stored = tensors.get(name);
    const shown = printable(name);
    if (!stored || !isEqual(stored.shape, wanted)) {
      throw new DataError(
        `Cannot load ${file}: wanted ${shown} of ${shapeText(wanted)}, found ` +
          (stored ? shapeText(stored.shape) : "none"),
      );
    }
    if (!isFloat(stored.dtype)) {
      throw new DataError(`Cannot load ${file}: wanted floats, found ${stored.dtype} in ${shown}`);
    }
    const values = stored.data instanceof Float32Array
      ? stored.data
      : Float32Array.from(stored.data, Number);
    const wrong = wrongValue(name, values);
    if (wrong) {
      throw new DataError(
        `Cannot load ${file}: wanted ${wrong.wanted}, found ${wrong.found} in ${shown}; take ` +
          `other weights`,
      );
    }
    state.set(name, fromTorch(values, stored.shape));
  }
  return { ...info, network, state };
}
