import type { Tensor } from "../kernels/gpu/tensor.ts";
import { select, type SelectAttributes } from "../kernels/ops/select.ts";
import { fusions } from "./fusions.ts";
import type { AbsorbedActivation, Apply } from "./layers/layer.ts";
import { kindOf } from "./layers/mod.ts";
import { IMAGE, type Network } from "./network.ts";
import { nameOf, ownName } from "./state.ts";
import type { Which } from "./which.ts";

/** The settings and tensors with which a network is run. */
export interface Running {
  /** Records an op: {@link Tape.apply} in training, {@link applying} otherwise. */
  readonly apply: Apply;
  /** The tensor of a parameter or running statistic. */
  readonly parameter: (name: string) => Tensor;
  /** Training uses and updates batch statistics; evaluation uses the running ones. */
  readonly training: boolean;
  /** Added to the variance by norms that state none. Default: 1e-5. */
  readonly eps?: number;
  /** The part of a batch in the running statistics. Default: 0.1. */
  readonly momentum?: number;
  /**
   * Seed and step, `[2]` of type u32: what dropout and stochastic depth draw from in training. The
   * same ones drop the same; with `null`, nothing is dropped.
   */
  readonly noise?: Tensor | null;
}

/** Changes of values on their way, such as gates. */
export interface Soft {
  /** The value of layer `i`, given the one that it computes. */
  readonly value: (i: number, y: Tensor) => Tensor;
  /** An input of layer `i`, by its position, given the value it names. */
  readonly input: (i: number, input: number, x: Tensor) => Tensor;
}

/** Which part of a network to run, and what is known already. */
export interface Part {
  /** Changes of values on their way. */
  readonly soft?: Soft;
  /** Whether to run layer `i`. Default: all of them. */
  readonly includes?: (i: number) => boolean;
  /** By layer: the part of each parameter that it is run with. Default: all of it. */
  readonly cuts?: readonly (ReadonlyMap<string, SelectAttributes> | undefined)[];
  /**
   * By layer: the one of the base network for which it stands, whose random numbers it draws.
   * Default: itself.
   */
  readonly origin?: readonly number[];
  /** The value of a layer that does not run. */
  readonly known?: (i: number) => Tensor | undefined;
  /** Which network's norms to use. */
  readonly norms: Which;
}

/** Runs a network, or a part of it, on an image. Gives the value of each layer that ran. */
export function run(network: Network, image: Tensor, running: Running, part: Part): Tensor[] {
  const { layers } = network;
  const { activations, sums } = fusions(network);
  // By layer: the activation after it that it does.
  const followed: (AbsorbedActivation | undefined)[] = layers.map(() => undefined);
  activations.forEach((activation, i) => {
    if (activation) followed[layers[i].inputs[0]] = activation;
  });
  const runs = (i: number): boolean => !part.known?.(i) && (part.includes?.(i) ?? true);
  const fused = sums.map((sum, i) =>
    // Gates would lie between a norm and its sum.
    sum && !part.soft && runs(sum.summand) && runs(i) ? sum : undefined
  );
  const later = new Set(fused.map((sum) => sum?.summand));
  const values: Tensor[] = [];
  const value = (v: number): Tensor => v === IMAGE ? image : values[v];
  const record = (
    i: number,
    activation: AbsorbedActivation | undefined,
    residual?: Tensor,
  ): Tensor => {
    const layer = layers[i];
    const kind = kindOf(layer);
    const name = kind.perNetwork ? ownName(nameOf(layer), part.norms) : nameOf(layer);
    return kind.run(layer, {
      ...running,
      parameter: (p) => {
        const whole = running.parameter(`${name}.${p}`);
        const cut = part.cuts?.[i]?.get(p);
        return cut ? running.apply(select, [whole], cut)[0] : whole;
      },
      inputs: layer.inputs.map((v, k) => part.soft?.input(i, k, value(v)) ?? value(v)),
      ...(activation && { activation }),
      stream: part.origin?.[i] ?? i,
      ...(residual && { residual }),
    });
  };
  const valueOf = (i: number): Tensor => {
    // The layer before it has done it.
    if (activations[i]) return value(layers[i].inputs[0]);
    const sum = fused[i];
    if (!sum) return record(i, followed[i]);
    return values[sum.summand] = record(sum.summand, followed[i], value(sum.residual));
  };
  layers.forEach((_, i) => {
    const known = part.known?.(i);
    if (known) values[i] = known;
    else if (runs(i) && !later.has(i)) {
      const y = valueOf(i);
      values[i] = part.soft?.value(i, y) ?? y;
    }
  });
  return values;
}

/** Whether a network draws random numbers in training, so that it needs {@link Running.noise}. */
export function drawsNoise({ layers }: Network): boolean {
  return layers.some((layer) => kindOf(layer).draws?.(layer) === true);
}

/** Logits of a network on its own. */
export function runNetwork(network: Network, image: Tensor, running: Running): Tensor {
  return run(network, image, running, { norms: "base" })[network.layers.length - 1];
}
