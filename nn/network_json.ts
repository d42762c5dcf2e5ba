import { parseJson, wrongKey } from "../data/json.ts";
import { printable, printableJson } from "../data/printable.ts";
import type { Field, FieldContext } from "./layers/fields.ts";
import type { ValueShape } from "./layers/layer.ts";
import { kindOf, type Layer } from "./layers/mod.ts";
import { checkLast, IMAGE, layerTitle, type Network, shapesOf } from "./network.ts";
import { type Fail, foundText, isFields, type LayersBefore, readLayer } from "./read_layer.ts";

/** A field as files have it, `undefined` where it follows from the rest. */
function shortField(field: Field, value: unknown, context: FieldContext): unknown {
  if (value === undefined || (field.otherwise && field.otherwise(context) === value)) return;
  return field.json ? field.json.encode(value) : value;
}

/** The fields of a layer in JSON: those that do not follow from the rest. */
function shortened(layer: Layer, i: number, channels: number): Record<string, unknown> {
  const fields: Readonly<Record<string, unknown>> = { ...layer };
  const context = { fields, channels };
  const short = Object.entries(kindOf(layer).fields).flatMap(([key, field]) => {
    const value = shortField(field, fields[key], context);
    return value === undefined ? [] : [[key, value] as const];
  });
  const { kind, inputs } = layer;
  const follows = inputs.length === 1 && inputs[0] === i - 1;
  return { kind, ...Object.fromEntries(short), ...follows ? {} : { inputs } };
}

/**
 * A network as JSON in one line: `{"channels":3,"layers":[{"kind":"conv2d",...},...]}`. Left out are
 * `inputs` that are just the layer before (-1, the image, before the first), `in`, a convolution's
 * stride of 1 and padding of `floor(kernel / 2)`, and what is false. `keptTaps` is a string of ones
 * and zeros. Raises a `TypeError` for a network that {@link parseNetwork} would refuse.
 */
export function encodeNetwork(network: Network): string {
  const { channels, layers } = network;
  const shapes = shapesOf(network);
  checkLast("write the network", layers);
  const into = ({ inputs: [x] }: Layer): number => x === IMAGE ? channels : shapes[x].channels;
  return JSON.stringify({
    channels,
    layers: layers.map((layer, i) => shortened(layer, i, into(layer))),
  });
}

/** Raises a `TypeError` that says what is wrong with layer i of the network called `subject`. */
function failAt(subject: string, i: number, fields: unknown): Fail {
  return ({ field, wanted, found }) => {
    const title = isFields(fields) ? layerTitle(fields) : "";
    const text = field === undefined ? wanted : `${field}, ${wanted}`;
    throw new TypeError(
      `Cannot read ${subject}: wanted layer ${i}${title && ` (${title})`} to have ${text}, found ` +
        foundText(found),
    );
  };
}

/**
 * The inverse of {@link encodeNetwork}. Raises a `TypeError` that says which layer is wrong, and
 * calls the network `subject`.
 */
export function parseNetwork(text: string, subject = "the network"): Network {
  let json: unknown;
  try {
    json = parseJson(text);
  } catch (error) {
    const found = wrongKey(error) ?? printable(text, 40);
    throw new TypeError(`Cannot read ${subject}: wanted JSON, found ${found}`);
  }
  const fields = isFields(json) ? json : {};
  const { channels, layers } = fields;
  if (!Number.isSafeInteger(channels) || Number(channels) < 1 || !Array.isArray(layers)) {
    throw new TypeError(
      `Cannot read ${subject}: wanted channels, a whole number from 1 on, and a list of layers, ` +
        `found ${printable(text, 40)}`,
    );
  }
  const unknown = Object.keys(fields).find((key) => !["channels", "layers"].includes(key));
  if (unknown !== undefined) {
    throw new TypeError(
      `Cannot read ${subject}: wanted only channels and layers, found ${printableJson(unknown)}`,
    );
  }
  const read: Layer[] = [];
  const shapes: ValueShape[] = [];
  const names = new Set<string>();
  const before: LayersBefore = { channels: Number(channels), shapes, names };
  layers.forEach((fields: unknown, i) => {
    const { layer, shape } = readLayer(fields, "file", before, failAt(subject, i, fields));
    if ("name" in layer) names.add(layer.name);
    read.push(layer);
    shapes.push(shape);
  });
  checkLast(`read ${subject}`, read);
  return { channels: Number(channels), layers: read };
}
