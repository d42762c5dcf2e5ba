import { fromTorch, isEqual, shapeText, torchShape, type TorchTensor } from "./layout.ts";
import { NORM_EPS } from "./layers/batch_norm.ts";
import type { Network } from "./network.ts";
import type { State } from "./parameters.ts";
import { networkSpecs } from "./state.ts";

/** Tensors of a file by name, in PyTorch's layout. */
export type TorchTensors = ReadonlyMap<string, TorchTensor>;

/** Prefixes that programs put before the names of a module that they wrap. */
const PREFIXES = ["module.", "model.", "_orig_mod."];

/**
 * Names without the prefixes that DataParallel (`module.`), Lightning and timm (`model.`) and
 * `torch.compile` (`_orig_mod.`) put before them, also several of them. Names that would become
 * those of others stay.
 *
 * @returns The new names by the old ones, of those that change; and the prefixes taken off.
 */
export function withoutPrefixes(
  names: readonly string[],
): { readonly names: ReadonlyMap<string, string>; readonly prefixes: readonly string[] } {
  const bare = (name: string): string => {
    let at = 0;
    while (true) {
      const prefix = PREFIXES.find((prefix) => name.startsWith(prefix, at));
      if (prefix === undefined) return name.slice(at);
      at += prefix.length;
    }
  };
  const counts = new Map<string, number>();
  for (const name of names) counts.set(bare(name), (counts.get(bare(name)) ?? 0) + 1);
  const changed = names.filter((name) => bare(name) !== name && counts.get(bare(name)) === 1);
  const taken = new Set(changed.map((name) => name.slice(0, name.length - bare(name).length)));
  return { names: new Map(changed.map((name) => [name, bare(name)])), prefixes: [...taken] };
}

/** What a layer or a tensor is called elsewhere, and here. */
export type NamePair = readonly [theirs: string, ours: string];

/** How another library has a network that is here under other names. */
export interface Foreign {
  /** Layers, and tensors, that are called otherwise. */
  readonly names: readonly NamePair[];
  /** What its norms add to a variance, where that is another number than here. */
  readonly eps?: number;
}

/** Tensors by our names and with our eps: norms divide by the root of variance + eps. */
function asOurs(tensors: TorchTensors, { names, eps = NORM_EPS }: Foreign): TorchTensors {
  const ours = new Map(names);
  const rename = (name: string): string => {
    const dot = name.lastIndexOf(".");
    const layer = ours.get(name.slice(0, dot));
    return ours.get(name) ?? (layer === undefined ? name : layer + name.slice(dot));
  };
  return new Map([...tensors].map(([name, tensor]) => {
    const renamed = rename(name);
    if (renamed === name || !name.endsWith(".running_var")) return [renamed, tensor];
    return [renamed, { ...tensor, data: tensor.data.map((v) => v + (eps - NORM_EPS)) }];
  }));
}

/**
 * Tensors by the network's own names: those of another library are renamed where more of them fit
 * then.
 */
export function withOwnNames(
  network: Network,
  tensors: TorchTensors,
  foreign: Foreign,
): TorchTensors {
  const { parameters } = networkSpecs(network);
  const fitting = (of: TorchTensors): number =>
    parameters.filter(({ name, shape }) => {
      const found = of.get(name);
      return found && fits(found.shape, torchShape(shape));
    }).length;
  const ours = asOurs(tensors, foreign);
  return fitting(ours) > fitting(tensors) ? ours : tensors;
}

/**
 * Whether a tensor has the numbers of a wanted shape in the same order: the shape itself, with sides
 * of 1 behind it or without them, or a linear layer in the place of a convolution whose windows are
 * whole images, as its features are then in the order of channels, rows and columns.
 */
function fits(shape: readonly number[], wanted: readonly number[]): boolean {
  const bare = (sizes: readonly number[]): readonly number[] =>
    sizes.slice(0, sizes.findLastIndex((size) => size !== 1) + 1);
  if (shape.length > 0 && isEqual(bare(shape), bare(wanted))) return true;
  return shape.length === 2 && wanted.length === 4 && shape[0] === wanted[0] &&
    shape[1] === wanted[1] * wanted[2] * wanted[3];
}

/** Tensors of a file as values of a network. */
export interface Pretrained {
  /** Values of the parameters and running statistics that a tensor fits, in the GPU's layout. */
  readonly state: State;
  /** Tensors that have no place in the network, each with the reason. */
  readonly unused: readonly { readonly name: string; readonly reason: string }[];
  /** Names of parameters and running statistics that no tensor fits. */
  readonly fresh: readonly string[];
}

/**
 * Takes those tensors whose name and shape are those of a parameter or running statistic of the
 * network: names are timm's (`resnet50d` for the ResNets of `xresnet`), and those of another library
 * where `foreign` says them. A linear layer may be in the place of a convolution that does the same,
 * and the other way round. Counts of batches, which PyTorch saves with norms, are left out.
 */
export function fitPretrained(
  network: Network,
  tensors: TorchTensors,
  foreign: Foreign = { names: [] },
): Pretrained {
  const { parameters, statistics } = networkSpecs(network);
  const shapes = new Map([...parameters, ...statistics].map(({ name, shape }) => [name, shape]));
  const state: State = new Map();
  const unused: { name: string; reason: string }[] = [];
  for (const [name, { shape, data }] of withOwnNames(network, tensors, foreign)) {
    if (name.endsWith(".num_batches_tracked")) continue;
    const own = shapes.get(name);
    const wanted = own && torchShape(own);
    if (wanted && fits(shape, wanted)) state.set(name, fromTorch(data, wanted));
    else {
      const reason = wanted ? `${shapeText(shape)}, wanted ${shapeText(wanted)}` : "unknown name";
      unused.push({ name, reason });
    }
  }
  return { state, unused, fresh: [...shapes.keys()].filter((name) => !state.has(name)) };
}
