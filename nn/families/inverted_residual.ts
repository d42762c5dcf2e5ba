import { type Network, network, type NetworkBuilder, type Value } from "../network.ts";
import type { Activation } from "./activations.ts";
import type { BuildOptions } from "./family.ts";

/** Blocks of a stage that are alike; the first of a stage has its stride. */
export interface Row {
  /** How many. */
  readonly repeat: number;
  /** Side of the depthwise kernels. */
  readonly kernel: number;
  /** The factor between the channels that come in and those between: 1 has no convolution for it. */
  readonly expand: number;
  /** Channels of the value. */
  readonly out: number;
  /** Whether there is a gate of squeeze-and-excitation. */
  readonly squeeze?: boolean;
  /** Default: that of the network. */
  readonly activation?: Activation;
}

/** Blocks on values of the same sides. */
export interface Stage {
  /** Pixels from one window of its first block to the next. */
  readonly stride: 1 | 2;
  /** One or more. */
  readonly rows: readonly Row[];
}

/** A network of inverted residual blocks: MobileNetV2 and those that came of it. */
export interface MobileForm {
  /** Channels of the stem. */
  readonly stem: number;
  /** In the order in which they run. */
  readonly stages: readonly Stage[];
  /** Of stem, blocks and head. */
  readonly activation: Activation;
  /** Gates of squeeze-and-excitation, where blocks have them. */
  readonly gate?: {
    /** Channels between, of those that come into the block and those that are gated. */
    readonly width: (channels: { readonly block: number; readonly gated: number }) => number;
    /** The activation between. */
    readonly activation: Activation;
    /** What makes the gates. */
    readonly last: Activation;
  };
  /** From the last stage to the classifier. */
  readonly head: (n: NetworkBuilder, x: Value) => Value;
}

/** The nearest multiple of 8 from 8 on that is no more than a tenth below. */
export function inEights(channels: number): number {
  const near = Math.max(8, Math.floor((channels + 4) / 8) * 8);
  return near < 0.9 * channels ? near + 8 : near;
}

/** A convolution without bias, and its norm. */
export function convNorm(
  n: NetworkBuilder,
  x: Value,
  { name, norm, ...size }: {
    readonly name: string;
    readonly norm: string;
    readonly out: number;
    readonly kernel: number;
    readonly stride?: number;
    readonly groups?: number;
  },
): Value {
  return n.batchNorm(n.conv2d(x, { name, ...size }), { name: norm });
}

/** Channels times gates that are made of their means. */
function squeezed(
  n: NetworkBuilder,
  x: Value,
  { gate, prefix, block }: {
    readonly gate: NonNullable<MobileForm["gate"]>;
    readonly prefix: string;
    readonly block: number;
  },
): Value {
  const gated = n.channels(x);
  const size = { kernel: 1, bias: true };
  const out = gate.width({ block, gated });
  let g = n.globalAvgPool2d(x, { keepImage: true });
  g = gate.activation(n, n.conv2d(g, { name: `${prefix}.conv_reduce`, out, ...size }));
  g = gate.last(n, n.conv2d(g, { name: `${prefix}.conv_expand`, out: gated, ...size }));
  return n.multiply(x, g);
}

/**
 * 1x1, depthwise and 1x1 convolution, each with a norm; the last one without activation, and a sum
 * with what came in where sizes are the same. timm numbers norms as they come, and calls the last
 * convolution `conv_pw` where there is no first.
 */
function invertedResidual(
  n: NetworkBuilder,
  x: Value,
  { form, row, prefix, stride }: {
    readonly form: MobileForm;
    readonly row: Row;
    readonly prefix: string;
    readonly stride: number;
  },
): Value {
  const { kernel, expand, out, squeeze = false, activation = form.activation } = row;
  const block = n.channels(x);
  let norms = 0;
  const norm = (): string => `${prefix}.bn${++norms}`;
  let y = x;
  if (expand !== 1) {
    const size = { name: `${prefix}.conv_pw`, norm: norm(), kernel: 1 };
    y = activation(n, convNorm(n, y, { ...size, out: inEights(block * expand) }));
  }
  const inner = n.channels(y);
  const depthwise = { out: inner, groups: inner, kernel, stride };
  y = convNorm(n, y, { name: `${prefix}.conv_dw`, norm: norm(), ...depthwise });
  y = activation(n, y);
  if (squeeze && form.gate) {
    y = squeezed(n, y, { gate: form.gate, prefix: `${prefix}.se`, block });
  }
  const last = `${prefix}.${expand === 1 ? "conv_pw" : "conv_pwl"}`;
  y = convNorm(n, y, { name: last, norm: norm(), out, kernel: 1 });
  return stride === 1 && block === out ? n.add(y, x) : y;
}

/** A block: its stage, its number there, and its number among all. */
export interface Place {
  /** What it is like. */
  readonly row: Row;
  /** Its stage, from 0 on. */
  readonly s: number;
  /** Its number there, from 0 on. */
  readonly b: number;
  /** Its number among all, from 0 on. */
  readonly i: number;
}

/** All blocks in the order in which they run. */
export function placesOf(stages: readonly Stage[]): Place[] {
  const inStages = stages.flatMap(({ rows }, s) =>
    rows.flatMap((row) => Array<Row>(row.repeat).fill(row)).map((row, b) => ({ row, s, b }))
  );
  return inStages.map((place, i) => ({ ...place, i }));
}

/**
 * The network of a form, with timm's names. `blocks.S` is stage S + 1, the stem is stage 0, and the
 * head is one after the last. The stem `cifar` strides neither itself nor in the first stage that
 * does.
 */
export function mobileNet(form: MobileForm, { classes, channels, stem }: BuildOptions): Network {
  const cifar = stem === "cifar";
  const first = form.stages.findIndex(({ stride }) => stride > 1);
  return network({ channels }, (n) => {
    n.stage(0);
    const size = { out: form.stem, kernel: 3, stride: cifar ? 1 : 2 };
    let x = convNorm(n, n.image, { name: "conv_stem", norm: "bn1", ...size });
    x = form.activation(n, x);
    for (const { row, s, b } of placesOf(form.stages)) {
      n.stage(s + 1);
      const stride = b > 0 || (cifar && s === first) ? 1 : form.stages[s].stride;
      x = invertedResidual(n, x, { form, row, prefix: `blocks.${s}.${b}`, stride });
    }
    n.stage(form.stages.length + 1);
    n.linear(form.head(n, x), { name: "classifier", out: classes });
  });
}
