import {
  type BatchNormLayer,
  type Conv2dLayer,
  IMAGE,
  type Layer,
  type Network,
  type Value,
} from "./network.ts";

/** Fields of each kind of layer, besides `kind` and `inputs`. */
const FIELDS: Readonly<Record<Layer["kind"], readonly string[]>> = {
  conv2d: ["name", "out", "kernel", "stride", "padding", "stage", "keptTaps"],
  batchNorm: ["name", "zero"],
  linear: ["name", "out"],
  relu: [],
  add: [],
  narrow: ["channels"],
  maxPool2d: ["kernel", "stride", "padding"],
  avgPool2d: ["kernel", "stride", "ceilMode"],
  globalAvgPool2d: [],
};

/** What JSON leaves out of a layer, as it follows from the rest. */
function shortened(layer: Layer, i: number): Record<string, unknown> {
  const { inputs, ...fields } = layer;
  const short: Record<string, unknown> = { ...fields };
  delete short.in;
  if (layer.kind === "conv2d") {
    if (layer.stride === 1) delete short.stride;
    if (layer.padding === Math.floor(layer.kernel / 2)) delete short.padding;
    if (layer.keptTaps) short.keptTaps = layer.keptTaps.map(Number).join("");
  }
  if (layer.kind === "batchNorm" && !layer.zero) delete short.zero;
  if (layer.kind === "avgPool2d" && !layer.ceilMode) delete short.ceilMode;
  return inputs.length === 1 && inputs[0] === i - 1 ? short : { ...short, inputs };
}

/**
 * A network as JSON in one line: `{"channels":3,"layers":[{"kind":"conv2d",...},...]}`. Left out are
 * `inputs` that are just the layer before (-1, the image, before the first), `in`, a convolution's
 * stride of 1 and padding of `floor(kernel / 2)`, and what is false. `keptTaps` is a string of ones
 * and zeros.
 */
export function encodeNetwork({ channels, layers }: Network): string {
  return JSON.stringify({ channels, layers: layers.map(shortened) });
}

type Fields = Readonly<Record<string, unknown>>;

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What a layer makes: an image, or one row of features for each image. */
interface Made {
  readonly channels: number;
  readonly flat: boolean;
}

/** Reads the fields of one layer. */
class LayerReader {
  readonly #fields: Fields;
  readonly #fail: (wanted: string, found: unknown) => never;

  constructor(fields: Fields, fail: (wanted: string, found: unknown) => never) {
    this.#fields = fields;
    this.#fail = fail;
  }

  whole(key: string, least: number, otherwise?: number, most = Infinity): number {
    const value = this.#fields[key] ?? otherwise;
    if (Number.isSafeInteger(value) && Number(value) >= least && Number(value) <= most) {
      return Number(value);
    }
    const range = most === Infinity ? `${least} on` : `${least} to ${most}`;
    return this.#fail(`${key}, a whole number from ${range}`, value);
  }

  flag(key: string): boolean {
    const value = this.#fields[key] ?? false;
    return typeof value === "boolean" ? value : this.#fail(`${key}, true or false`, value);
  }

  name(taken: ReadonlySet<string>): string {
    const { name } = this.#fields;
    if (typeof name === "string" && name && !taken.has(name)) return name;
    return this.#fail("a name that no layer before it has", name);
  }

  taps(kernel: number): Pick<Conv2dLayer, "keptTaps"> {
    const { keptTaps } = this.#fields;
    if (keptTaps === undefined) return {};
    if (typeof keptTaps === "string" && new RegExp(`^[01]{${kernel ** 2}}$`).test(keptTaps)) {
      return { keptTaps: [...keptTaps].map((tap) => tap === "1") };
    }
    return this.#fail(`keptTaps, ${kernel ** 2} ones and zeros`, keptTaps);
  }

  /** Indices of earlier layers, or of the image. */
  inputs(count: number, i: number): Value[] {
    const inputs = this.#fields.inputs ?? [i - 1];
    const isEarlier = (v: unknown): v is Value =>
      Number.isInteger(v) && IMAGE <= Number(v) && Number(v) < i;
    if (Array.isArray(inputs) && inputs.length === count && inputs.every(isEarlier)) return inputs;
    const wanted = count === 1 ? "1 input" : `${count} inputs`;
    return this.#fail(`${wanted} from ${IMAGE} to ${i - 1}`, this.#fields.inputs);
  }

  stage(): Pick<Conv2dLayer, "stage"> {
    return this.#fields.stage === undefined ? {} : { stage: this.whole("stage", 0) };
  }
}

/** Reads layer after layer; keeps what has to fit together. */
class NetworkReader {
  readonly layers: Layer[] = [];
  readonly #made: Made[] = [];
  readonly #names = new Set<string>();
  readonly #image: Made;
  readonly #subject: string;

  constructor(channels: number, subject: string) {
    this.#image = { channels, flat: false };
    this.#subject = subject;
  }

  read(fields: unknown): void {
    const i = this.layers.length;
    const kind = isFields(fields) ? fields.kind : undefined;
    const fail = (wanted: string, found: unknown): never => {
      const name = isFields(fields) && typeof fields.name === "string" ? ` ${fields.name}` : "";
      const layer = typeof kind === "string" ? ` (${kind}${name})` : "";
      throw new TypeError(
        `Cannot read ${this.#subject}: wanted layer ${i}${layer} to have ${wanted}, found ` +
          (found === undefined ? "none" : JSON.stringify(found)),
      );
    };
    if (!isFields(fields) || typeof kind !== "string" || !Object.hasOwn(FIELDS, kind)) {
      return fail(`a kind out of ${Object.keys(FIELDS).join(", ")}`, kind);
    }
    const known = ["kind", "inputs", ...FIELDS[kind as Layer["kind"]]];
    const unknown = Object.keys(fields).find((key) => !known.includes(key));
    if (unknown) return fail(`only ${known.join(", ")}`, unknown);
    const [layer, made] = this.#layer(kind as Layer["kind"], new LayerReader(fields, fail), fail);
    if ("name" in layer) this.#names.add(layer.name);
    this.layers.push(layer);
    this.#made.push(made);
  }

  #layer(
    kind: Layer["kind"],
    from: LayerReader,
    fail: (wanted: string, found: unknown) => never,
  ): [Layer, Made] {
    const inputs = from.inputs(kind === "add" ? 2 : 1, this.layers.length);
    const [x] = inputs;
    const made = inputs.map((v) => v === IMAGE ? this.#image : this.#made[v]);
    const [{ channels, flat }] = made;
    const name = (): string => from.name(this.#names);
    const window = () => ({ kernel: from.whole("kernel", 1), stride: from.whole("stride", 1) });
    if (["conv2d", "maxPool2d", "avgPool2d", "globalAvgPool2d"].includes(kind) && flat) {
      fail("an input that is still an image", x);
    }
    switch (kind) {
      case "conv2d": {
        const kernel = from.whole("kernel", 1);
        const out = from.whole("out", 1);
        const layer: Conv2dLayer = {
          kind,
          name: name(),
          inputs: [x],
          in: channels,
          out,
          kernel,
          stride: from.whole("stride", 1, 1),
          padding: from.whole("padding", 0, Math.floor(kernel / 2)),
          ...from.stage(),
          ...from.taps(kernel),
        };
        return [layer, { channels: out, flat }];
      }
      case "batchNorm": {
        const layer: BatchNormLayer = { kind, name: name(), inputs: [x], zero: from.flag("zero") };
        return [layer, made[0]];
      }
      case "linear": {
        if (!flat) fail("an input that globalAvgPool2d has made flat", x);
        const out = from.whole("out", 1);
        return [{ kind, name: name(), inputs: [x], in: channels, out }, { channels: out, flat }];
      }
      case "relu":
        return [{ kind, inputs: [x] }, made[0]];
      case "add":
        if (made[1].channels !== channels || made[1].flat !== flat) {
          fail("inputs of equal channels", made.map((m) => m.channels));
        }
        return [{ kind, inputs: [x, inputs[1]] }, made[0]];
      case "narrow": {
        const kept = from.whole("channels", 1, undefined, channels);
        return [{ kind, inputs: [x], channels: kept }, { channels: kept, flat }];
      }
      case "maxPool2d": {
        const { kernel, stride } = window();
        const padding = from.whole("padding", 0, undefined, Math.floor(kernel / 2));
        return [{ kind, inputs: [x], kernel, stride, padding }, made[0]];
      }
      case "avgPool2d":
        return [{ kind, inputs: [x], ...window(), ceilMode: from.flag("ceilMode") }, made[0]];
      case "globalAvgPool2d":
        return [{ kind, inputs: [x] }, { channels, flat: true }];
    }
  }
}

/**
 * The inverse of {@link encodeNetwork}. Raises a `TypeError` that says which layer is wrong, and
 * calls the network `subject`.
 */
export function parseNetwork(text: string, subject = "the network"): Network {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new TypeError(`Cannot read ${subject}: wanted JSON, found ${text.slice(0, 40)}`);
  }
  const { channels, layers } = isFields(json) ? json : {};
  if (!Number.isSafeInteger(channels) || Number(channels) < 1 || !Array.isArray(layers)) {
    throw new TypeError(
      `Cannot read ${subject}: wanted channels, a whole number from 1 on, and a list of layers, ` +
        `found ${text.slice(0, 40)}`,
    );
  }
  const reader = new NetworkReader(Number(channels), subject);
  for (const layer of layers) reader.read(layer);
  const last = reader.layers.at(-1)?.kind;
  if (last !== "linear") {
    throw new TypeError(
      `Cannot read ${subject}: the last layer gives the logits and has to be linear, found ` +
        (last ?? "no layer"),
    );
  }
  return { channels: Number(channels), layers: reader.layers };
}
