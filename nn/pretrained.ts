import { fromTorch, isEqual, shapeText, torchShape, type TorchTensor } from "./layout.ts";
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
 * network: names are torchvision's for its variant, and timm's (`resnet50d`) for `xresnet`. Counts
 * of batches, which PyTorch saves with norms, are left out.
 */
export function fitPretrained(network: Network, tensors: TorchTensors): Pretrained {
  const { parameters, statistics } = networkSpecs(network);
  const shapes = new Map([...parameters, ...statistics].map(({ name, shape }) => [name, shape]));
  const state: State = new Map();
  const unused: { name: string; reason: string }[] = [];
  for (const [name, { shape, data }] of tensors) {
    if (name.endsWith(".num_batches_tracked")) continue;
    const own = shapes.get(name);
    const wanted = own && torchShape(own);
    if (wanted && isEqual(wanted, shape)) state.set(name, fromTorch(data, shape));
    else {
      const reason = wanted ? `${shapeText(shape)}, wanted ${shapeText(wanted)}` : "unknown name";
      unused.push({ name, reason });
    }
  }
  return { state, unused, fresh: [...shapes.keys()].filter((name) => !state.has(name)) };
}
