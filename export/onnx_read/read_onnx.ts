import type { Normalization } from "../../data/dataset.ts";
import { DataError } from "../../data/error.ts";
import { printable } from "../../data/printable.ts";
import type { ImageSize } from "../../nn/count.ts";
import { checkLast, IMAGE, type Layer } from "../../nn/network.ts";
import { encodeInfo, type Metadata } from "../metadata.ts";
import { parseOnnxInfo } from "../onnx.ts";
import type { OnnxNetwork } from "../onnx_network.ts";
import { decodeMetadata } from "../onnx_schema.ts";
import { FileGraph } from "./graph.ts";
import { readStep } from "./operators.ts";
import { atNode, type Plan, planOf } from "./plan.ts";
import { Reading } from "./reading.ts";
import { NodeError, nodeTitle } from "./step.ts";
import type { Affine, ImageValue } from "./value.ts";

/** The image that a graph takes: sides that the file leaves open are those of `open`. */
function imageOf({ input: { name, sizes } }: FileGraph, open: ImageSize | undefined): ImageValue {
  const [, channels, height = open?.height, width = open?.width] = sizes;
  const shown = `[${sizes.map((size) => size ?? "any").join(", ")}]`;
  if (sizes.length !== 4 || channels === undefined) {
    throw new NodeError(
      `wanted an input of [batch, channels, height, width], found ${shown} in ${printable(name)}`,
    );
  }
  if (height === undefined || width === undefined) {
    throw new NodeError(
      `wanted an input with a height and a width, found ${shown} in ${
        printable(name)
      }; export it ` +
        "with images of a fixed size",
    );
  }
  if (![channels, height, width].every((size) => Number.isSafeInteger(size) && size < 2 ** 16)) {
    throw new NodeError(
      `wanted images of less than 65536 channels and pixels a side, found ${shown}`,
    );
  }
  return { kind: "image", value: IMAGE, channels, height, width, layout: "nchw" };
}

/** The layers that the last one depends on, with their inputs renumbered. */
function reached(layers: readonly Layer[], last: number): Layer[] {
  const needed = new Set([last]);
  for (let i = last; i >= 0; i--) {
    if (needed.has(i)) { for (const input of layers[i].inputs) needed.add(input); }
  }
  const places = new Map<number, number>([[IMAGE, IMAGE]]);
  const kept: Layer[] = [];
  layers.forEach((layer, i) => {
    if (!needed.has(i)) return;
    places.set(i, kept.length);
    // The same layer on the same values.
    kept.push({ ...layer, inputs: layer.inputs.map((x) => places.get(x) ?? x) } as Layer);
  });
  return kept;
}

/** The value of the logits: one row for each image. */
function logitsOf(reading: Reading, { logits }: Plan): number {
  const node = reading.graph.maker(logits);
  if (!node) throw new NodeError("wanted a node that makes the output, found none");
  return atNode(node, () => {
    const found = reading.result(logits);
    if (found.kind === "constant") throw new NodeError("wanted logits, found a constant");
    return reading.logits(found).value;
  });
}

/**
 * What a file does to pixels, as a mean and a deviation of pixels over 255. Factors are those of
 * pixels from 0 to 255 where they are small, else of pixels from 0 to 1.
 */
function normalizationOf({ scale, shift }: Affine): Normalization | undefined {
  const range = scale.every((factor) => factor < 0.5) ? 255 : 1;
  const std = scale.map((factor) => 1 / (range * factor));
  const mean = shift.map((add, c) => -add * std[c]);
  const digits = (values: readonly number[]) => values.map((x) => Number(x.toPrecision(6)));
  return std.every((s) => Number.isFinite(s) && s > 0) && mean.every(Number.isFinite)
    ? { mean: digits(mean), std: digits(std) }
    : undefined;
}

/** Raises an error for a last layer that gives no logits. */
function demandLogits(layers: readonly Layer[]): void {
  try {
    checkLast("read the network", layers);
  } catch (cause) {
    const kind = layers.at(-1)?.kind;
    throw new NodeError(
      `wanted logits of a Gemm, a MatMul or a pool of the whole image, found those of ${kind}`,
      { cause },
    );
  }
}

/** Operators on 8-bit integers, and from and to them. */
const OF_INTEGERS = /^(Dynamic)?QuantizeLinear$|^DequantizeLinear$|^QLinear|Integer$/;

/** Raises an error for a network that can run, but not be trained. */
function demandFloats({ nodes }: FileGraph, bytes: Uint8Array): void {
  const cure = "take the file of float32 that it was made of";
  const integer = nodes.find(({ opType }) => OF_INTEGERS.test(opType));
  if (integer) {
    throw new NodeError(
      `wanted a network of float32, found ${nodeTitle(integer)}, which makes it one of 8-bit ` +
        `integers; ${cure}`,
    );
  }
  const precision = decodeMetadata(bytes).find(({ key }) => key === "precision");
  if (!precision) return;
  throw new NodeError(
    `wanted a network of float32, found one of ${printable(precision.value)}; ${cure}`,
  );
}

/** What the metadata of a file of ours say; nothing of others. */
function ownMetadata(bytes: Uint8Array, file: string): Metadata | undefined {
  if (!decodeMetadata(bytes).some(({ key }) => key === "range")) return undefined;
  const { range: _, ...info } = parseOnnxInfo(bytes, file);
  const { which: __, ...metadata } = encodeInfo(info);
  // Whatever it was, it is the base network of a run that begins with it.
  return metadata;
}

/**
 * Reads an ONNX file as a network with its weights: a convolutional classifier of float32, of
 * operator sets 11 to 21. Nothing is folded; layers are called after their weights where these have
 * names, else after their nodes. A convolution belongs to the stage that says how often the image has
 * been halved since the first one.
 *
 * @param bytes The contents of the file.
 * @param fileName For messages.
 * @param open Sides of images, where the file leaves them open.
 * @throws {DataError} For what is no such model; it names the node that cannot be read, and says why.
 */
export function readOnnx(bytes: Uint8Array, fileName: string, open?: ImageSize): OnnxNetwork {
  const file = printable(fileName, 300);
  const graph = FileGraph.parse(bytes, file);
  try {
    demandFloats(graph, bytes);
    const plan = planOf(graph);
    const image = imageOf(graph, open);
    const reading = new Reading(graph, image, plan.stayImages);
    for (const step of plan.steps) atNode(step.node, () => readStep(step, reading));
    const layers = reached(reading.n.layers, logitsOf(reading, plan));
    const network = { channels: image.channels, layers };
    demandLogits(layers);
    const names = new Set(layers.flatMap((layer) => "name" in layer ? [layer.name] : []));
    const own = ownMetadata(bytes, file);
    const { affine } = reading;
    const normalization = affine && normalizationOf(affine);
    if (affine && !normalization) {
      throw new NodeError("wanted a normalisation of pixels with factors above 0, found others");
    }
    return {
      network,
      tensors: new Map([...reading.tensors].filter(([name]) => names.has(layerOf(name)))),
      image: { height: image.height, width: image.width },
      metadata: own ??
        (normalization
          ? { mean: JSON.stringify(normalization.mean), std: JSON.stringify(normalization.std) }
          : {}),
      notes: plan.dropped.map((node) => `left out ${nodeTitle(node)}: training takes the logits`),
    };
  } catch (cause) {
    if (!(cause instanceof NodeError)) throw cause;
    throw new DataError(`Cannot read ${file}: ${printable(cause.message, 1000)}`, { cause });
  }
}

/** The layer of a parameter. */
function layerOf(name: string): string {
  return name.slice(0, name.lastIndexOf("."));
}
