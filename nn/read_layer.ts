import { printableJson } from "../data/printable.ts";
import type { FieldContext } from "./layers/fields.ts";
import {
  type ChannelRule,
  IMAGE,
  type LayerBase,
  type LayerKind,
  ruleOf,
  type Value,
  type ValueShape,
} from "./layers/layer.ts";
import { findKind, KIND_NAMES, KINDS, type Layer } from "./layers/mod.ts";

/** Fields of a layer by name, still unchecked. */
export type RawFields = Readonly<Record<string, unknown>>;

/** A field or an input of a layer that is wrong. */
export interface LayerProblem {
  /** The field that is wrong, if it is one. */
  readonly field?: string;
  /** In words. */
  readonly wanted: string;
  /** The value that is there instead; `undefined` for none. */
  readonly found: unknown;
  /** The cure, in words. */
  readonly cure?: string;
}

/** Raises an error that says what is wrong. */
export type Fail = (problem: LayerProblem) => never;

/** Where fields come from: a file, a call of the builder, or a network that was made by hand. */
export type Source = "file" | "builder" | "network";

/** The layers before one, as far as it depends on them. */
export interface LayersBefore {
  /** Channels of the network's input. */
  readonly channels: number;
  /** By layer: the shape of its value. */
  readonly shapes: readonly ValueShape[];
  /** Their names. */
  readonly names: ReadonlySet<string>;
}

/** A layer and what it makes. */
export interface ReadLayer {
  readonly layer: Layer;
  readonly shape: ValueShape;
}

/** A value that was found, fit for a message. */
export function foundText(found: unknown): string {
  return found === undefined ? "none" : printableJson(found);
}

/** Whether a value is an object with fields. */
export function isFields(value: unknown): value is RawFields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The kinds that may give the logits, in words. */
export const LOGITS_KINDS: string = Object.values(KINDS)
  .flatMap((kind: LayerKind) => kind.givesLogits ? [kind.kind] : []).join(" or ");

/** The shape of a value. */
export function shapeOf({ channels, shapes }: LayersBefore, value: Value): ValueShape {
  return value === IMAGE ? { channels, flat: false } : shapes[value];
}

function fieldsOf(kind: LayerKind): string[] {
  return Object.keys(kind.fields);
}

function checkKeys(kind: LayerKind, raw: RawFields, source: Source, fail: Fail): void {
  const own = source === "network" && kind.countsInputs ? ["in"] : [];
  const known = ["kind", "inputs", ...own, ...fieldsOf(kind)];
  const unknown = Object.keys(raw).find((key) => !known.includes(key));
  if (unknown === undefined) return;
  const wanted = source === "builder" ? fieldsOf(kind) : known;
  fail({ wanted: wanted.length ? `only ${wanted.join(", ")}` : "no options", found: unknown });
}

/** Indices of earlier layers, or of the image. */
function readInputs(
  kind: LayerKind,
  raw: RawFields,
  source: Source,
  before: LayersBefore,
  fail: Fail,
): readonly Value[] {
  const i = before.shapes.length;
  const inputs = raw.inputs ?? (source === "file" ? [i - 1] : undefined);
  const isEarlier = (v: unknown): v is Value =>
    Number.isInteger(v) && IMAGE <= Number(v) && Number(v) < i;
  const fits = (count: number): boolean =>
    kind.inputs === "two or more" ? count >= 2 : count === kind.inputs;
  if (Array.isArray(inputs) && fits(inputs.length) && inputs.every(isEarlier)) return inputs;
  const wanted = `${kind.inputs} ${kind.inputs === 1 ? "input" : "inputs"}`;
  return fail({ wanted: `${wanted} from ${IMAGE} to ${i - 1}`, found: raw.inputs });
}

/** Raises an error for inputs that the kind is not for. */
function checkShapes(
  kind: LayerKind,
  inputs: readonly Value[],
  shapes: readonly ValueShape[],
  fail: Fail,
): void {
  const flat = shapes.map((shape) => shape.flat);
  const [x] = inputs;
  if (kind.takes === "image" && flat.includes(true)) {
    fail({ wanted: "an input that is still an image", found: x });
  }
  if (kind.takes === "features" && flat.includes(false)) {
    const cure = "put globalAvgPool2d before it";
    fail({ wanted: "an input that globalAvgPool2d has made flat", found: x, cure });
  }
  if (new Set(flat).size > 1) {
    fail({ wanted: "inputs that are all images or all flat", found: inputs });
  }
}

/** Raises an error for inputs whose channels do not fit together. */
function checkChannels(rule: ChannelRule, channels: readonly number[], fail: Fail): void {
  if (rule !== "tied" || new Set(channels).size === 1) return;
  const cure = "narrow the wider one or project it";
  fail({ wanted: "inputs of equal channels", found: channels, cure });
}

/** The value of a field, checked, or `undefined` where there is none. */
function readField(
  kind: LayerKind,
  key: string,
  raw: unknown,
  { source, context, fail }: { source: Source; context: FieldContext; fail: Fail },
): unknown {
  const field = kind.fields[key];
  if (raw === undefined && field.otherwise) {
    const otherwise = field.otherwise(context);
    // What is left out of a network made by hand is read as false, and as nothing else.
    if (source !== "network" || !otherwise) return otherwise;
  }
  const json = source === "file" ? field.json : undefined;
  const value = json && raw !== undefined ? json.parse(raw, context) : raw;
  if (value !== undefined && field.fits(value, context)) return value;
  return fail({ field: key, wanted: (json ?? field).wanted(context), found: raw });
}

/**
 * Reads and checks one layer: its fields against those of its kind, its inputs against the layers
 * before it. What is wrong is told to `fail`. This is the one schema for the builder, for files,
 * and for networks made by hand.
 */
export function readLayer(
  raw: unknown,
  source: Source,
  before: LayersBefore,
  fail: Fail,
): ReadLayer {
  const name = isFields(raw) ? raw.kind : undefined;
  const kind = findKind(name);
  if (!isFields(raw) || !kind) {
    return fail({ wanted: `a kind out of ${KIND_NAMES.join(", ")}`, found: name });
  }
  checkKeys(kind, raw, source, fail);
  const inputs = readInputs(kind, raw, source, before, fail);
  const shapes = inputs.map((value) => shapeOf(before, value));
  checkShapes(kind, inputs, shapes, fail);
  const [{ channels }] = shapes;
  const fields: Record<string, unknown> = {};
  for (const key of fieldsOf(kind)) {
    const own = Object.hasOwn(raw, key) ? raw[key] : undefined;
    const value = readField(kind, key, own, { source, context: { fields, channels }, fail });
    if (value !== undefined) fields[key] = value;
  }
  if (typeof fields.name === "string" && before.names.has(fields.name)) {
    fail({ wanted: "a name that no layer before it has", found: fields.name });
  }
  if (source === "network" && kind.countsInputs && raw.in !== channels) {
    fail({ field: "in", wanted: `the ${channels} channels of its input`, found: raw.in });
  }
  const read: LayerBase & RawFields = {
    kind: kind.kind,
    inputs,
    ...kind.countsInputs ? { in: channels } : {},
    ...fields,
  };
  const made = shapes.map((shape) => shape.channels);
  checkChannels(ruleOf(kind, read, made), made, fail);
  return {
    // Its fields are those of its kind, each checked above.
    layer: read as Layer,
    shape: {
      channels: kind.width?.(read, made) ?? channels,
      flat: kind.flattens?.(read) === true || shapes[0].flat,
    },
  };
}
