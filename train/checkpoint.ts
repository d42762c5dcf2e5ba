import { DataError } from "../data/error.ts";
import { encodeSafetensors, parseSafetensors } from "../data/safetensors.ts";
import type { Normalization } from "../data/dataset.ts";
import { adjoin } from "../nn/adjoin.ts";
import { fromTorch, torchShape, toTorch } from "../nn/layout.ts";
import type { Network } from "../nn/network.ts";
import type { State } from "../nn/parameters.ts";
import { model, type Variant } from "../nn/resnet.ts";
import { networkSpecs } from "../nn/state.ts";
import type { Which } from "./types.ts";

/** How to build the network of a checkpoint again. */
export interface Architecture {
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

/** What a checkpoint says besides its weights. */
export interface CheckpointInfo {
  /** How to build the network again. */
  readonly architecture: Architecture;
  /** Names of the classes, in the order of the logits. */
  readonly classes: readonly string[];
  /** Height, width and channels of the images. */
  readonly image: readonly [number, number, number];
  /** What pixels have to be normalised by. */
  readonly normalization: Normalization;
  /** Fraction of the validation set. */
  readonly top1?: number;
}

/** A network with its weights, as saved. */
export interface Checkpoint extends CheckpointInfo {
  /** Built from the architecture. */
  readonly network: Network;
  /** Its weights and running statistics. */
  readonly state: State;
}

/**
 * A network as safetensors bytes: names and layouts of torchvision and timm, so that PyTorch loads
 * them as they are; everything else in the metadata, as JSON.
 */
export function encodeCheckpoint(
  network: Network,
  state: State,
  info: CheckpointInfo,
): Uint8Array<ArrayBuffer> {
  const { parameters, statistics } = networkSpecs(network);
  const tensors = [...parameters, ...statistics].map(({ name, shape }) => {
    const values = state.get(name);
    if (!values) throw new TypeError(`Cannot save the network: ${name} is missing`);
    return [name, toTorch(values, shape)] as const;
  });
  const { architecture, classes, image, normalization, top1 } = info;
  return encodeSafetensors(tensors, {
    format: "pt",
    architecture: JSON.stringify(architecture),
    classes: JSON.stringify(classes),
    image: JSON.stringify(image),
    mean: JSON.stringify(normalization.mean),
    std: JSON.stringify(normalization.std),
    ...(top1 === undefined ? {} : { top1: String(top1) }),
  });
}

/** The network that an architecture describes. */
export function build(
  { model: name, stem, variant, which, adjoined }: Architecture,
  { classes, channels }: { classes: number; channels: number },
): Network {
  const base = model(name, { classes, channels, stem, variant });
  if (which === "base" || !adjoined) return base;
  return adjoin(base, adjoined).small;
}

function metadataField(metadata: Record<string, string>, key: string, file: string): unknown {
  const text = metadata[key];
  if (text === undefined) {
    throw new DataError(
      `Cannot load ${file}: wanted a checkpoint saved by adjoin, found no ${key} in its metadata`,
    );
  }
  try {
    return JSON.parse(text);
  } catch {
    throw new DataError(`Cannot load ${file}: the ${key} in its metadata is not JSON`);
  }
}

/** The inverse of {@link encodeCheckpoint}. Raises a {@link DataError} for anything else. */
export function parseCheckpoint(bytes: Uint8Array, file: string): Checkpoint {
  const { tensors, metadata } = parseSafetensors(bytes, file);
  const field = (key: string): unknown => metadataField(metadata, key, file);
  const numbers = (key: string): number[] => {
    const found = field(key);
    if (Array.isArray(found) && found.every((x) => typeof x === "number")) return found;
    throw new DataError(`Cannot load ${file}: the ${key} in its metadata is no list of numbers`);
  };
  const architecture = field("architecture") as Architecture;
  const classes = field("classes") as string[];
  const [height, width, channels] = numbers("image");
  const normalization = { mean: numbers("mean"), std: numbers("std") };
  let network: Network;
  try {
    network = build(architecture, { classes: classes.length, channels });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new DataError(`Cannot load ${file}: its architecture cannot be built. ${reason}`, {
      cause,
    });
  }
  const { parameters, statistics } = networkSpecs(network);
  const state: State = new Map();
  for (const { name, shape } of [...parameters, ...statistics]) {
    const wanted = torchShape(shape).join("x");
    const stored = tensors.get(name);
    if (stored?.shape.join("x") !== wanted) {
      throw new DataError(
        `Cannot load ${file}: wanted ${name} of ${wanted}, found ` +
          (stored ? stored.shape.join("x") : "none"),
      );
    }
    state.set(name, fromTorch(Float32Array.from(stored.data, Number), stored.shape));
  }
  const top1 = metadata.top1 === undefined ? {} : { top1: Number(metadata.top1) };
  const image = [height, width, channels] as const;
  return { architecture, classes, image, normalization, network, state, ...top1 };
}
