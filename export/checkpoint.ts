import { DataError } from "../data/error.ts";
import { printable } from "../data/printable.ts";
import { encodeSafetensors, isFloat, parseSafetensors } from "../data/safetensors.ts";
import { adjoin } from "../nn/compress/adjoin.ts";
import { sizesOf } from "../nn/count.ts";
import { fromTorch, isEqual, shapeText, torchShape, toTorch } from "../nn/layout.ts";
import { classesOf, type Conv2dLayer, type Network } from "../nn/network.ts";
import { encodeNetwork, parseNetwork } from "../nn/network_json.ts";
import type { State } from "../nn/parameters.ts";
import { model, type Variant } from "../nn/resnet.ts";
import { maskTaps, networkSpecs, valueOf } from "../nn/state.ts";
import { wrongValue } from "../nn/wrong_value.ts";
import {
  type CheckpointInfo,
  encodeInfo,
  type Metadata,
  metadataField,
  parseInfo,
} from "./metadata.ts";
import type { Which } from "../nn/which.ts";

/** How files from before networks were saved as they are say what to build. */
interface Architecture {
  /** A name that {@link model} knows. */
  readonly model: string;
  /** Default: the one of the model's family. */
  readonly stem?: "authors" | "cifar";
  /** Default: `xresnet`. */
  readonly variant?: Variant;
  /** The whole network, or the small one. */
  readonly which: Which;
  /** How the small network was cut out; absent for a base network. */
  readonly adjoined?: {
    readonly compression: number;
    readonly trunk: "shared" | "separate";
    readonly maskFrom: number;
    readonly widths: Readonly<Record<string, number>>;
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

/**
 * A network as safetensors bytes: names and layouts of torchvision and timm, so that PyTorch loads
 * them as they are; the network itself and all else in the metadata. Weights of taps that a
 * convolution does not keep become zeros.
 */
export function encodeCheckpoint(
  network: Network,
  state: State,
  info: CheckpointInfo,
): Uint8Array<ArrayBuffer> {
  const { parameters, statistics } = networkSpecs(network);
  const convolutions = new Map<string, Conv2dLayer>(
    network.layers.flatMap((layer) =>
      layer.kind === "conv2d" ? [[`${layer.name}.weight`, layer]] : []
    ),
  );
  const tensors = [...parameters, ...statistics].map(({ name, shape }) => {
    const conv = convolutions.get(name);
    const values = valueOf(state, name);
    return [name, toTorch(conv ? maskTaps(conv, values) : values, shape)] as const;
  });
  return encodeSafetensors(tensors, {
    format: "pt",
    network: encodeNetwork(network),
    ...encodeInfo(info),
  });
}

/** The network that an architecture describes. */
function build(
  { model: name, stem, variant, which, adjoined }: Architecture,
  { classes, channels }: { classes: number; channels: number },
): Network {
  const base = model(name, { classes, channels, stem, variant });
  if (which === "base" || !adjoined) return base;
  return adjoin(base, adjoined).small;
}

/** The network by the names that files had before they had the network itself. */
function namedNetwork(metadata: Metadata, file: string): [Network, CheckpointInfo] {
  const architecture = metadataField(metadata, "architecture", file) as Architecture;
  const info = parseInfo({ ...metadata, which: String(architecture?.which) }, file);
  const { classes, image: [, , channels] } = info;
  try {
    return [build(architecture, { classes: classes.length, channels }), info];
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new DataError(`Cannot load ${file}: its architecture cannot be built. ${reason}`, {
      cause,
    });
  }
}

function ownNetwork(metadata: Metadata, file: string): [Network, CheckpointInfo] {
  const info = parseInfo(metadata, file);
  try {
    return [parseNetwork(metadata.network, `the network in ${file}`), info];
  } catch (cause) {
    throw new DataError(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

/** Raises a {@link DataError} for a network that is not one for its images and classes. */
function checkFit(network: Network, { classes, image }: CheckpointInfo, file: string): void {
  const [height, width, channels] = image;
  if (classesOf(network) !== classes.length || network.channels !== channels) {
    throw new DataError(
      `Cannot load ${file}: wanted a network that tells ${classes.length} classes of images with ` +
        `${channels} channels apart, found one for ${classesOf(network)} classes and ` +
        `${network.channels} channels`,
    );
  }
  const small = sizesOf(network, { height, width }).findIndex((size) =>
    !(size.height >= 1 && size.width >= 1)
  );
  if (small >= 0) {
    throw new DataError(
      `Cannot load ${file}: wanted a network for images of ${height}x${width} pixels, found one ` +
        `whose layer ${small} (${network.layers[small].kind}) leaves nothing of them`,
    );
  }
}

/** The inverse of {@link encodeCheckpoint}. Raises a {@link DataError} for anything else. */
export function parseCheckpoint(bytes: Uint8Array, file: string): Checkpoint {
  const { tensors, metadata } = parseSafetensors(bytes, file);
  const [network, info] = metadata.network === undefined
    ? namedNetwork(metadata, file)
    : ownNetwork(metadata, file);
  checkFit(network, info, file);
  const { parameters, statistics } = networkSpecs(network);
  const state: State = new Map();
  for (const { name, shape } of [...parameters, ...statistics]) {
    const wanted = torchShape(shape);
    const stored = tensors.get(name);
    if (!stored || !isEqual(stored.shape, wanted)) {
      throw new DataError(
        `Cannot load ${file}: wanted ${printable(name)} of ${shapeText(wanted)}, found ` +
          (stored ? shapeText(stored.shape) : "none"),
      );
    }
    if (!isFloat(stored.dtype)) {
      throw new DataError(
        `Cannot load ${file}: wanted floats, found ${stored.dtype} in ${printable(name)}`,
      );
    }
    const values = Float32Array.from(stored.data, Number);
    const wrong = wrongValue(name, values);
    if (wrong) {
      throw new DataError(
        `Cannot load ${file}: wanted ${wrong.wanted}, found ${wrong.found} in ` +
          `${printable(name)}; take other weights`,
      );
    }
    state.set(name, fromTorch(values, stored.shape));
  }
  return { ...info, network, state };
}
