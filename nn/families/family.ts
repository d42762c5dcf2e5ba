import type { Network } from "../network.ts";
import type { DropOptions } from "../drops.ts";
import type { Foreign } from "../pretrained.ts";

/** The stem: the authors' three convolutions with stride and pool, or one convolution for CIFAR. */
export type Stem = "authors" | "cifar";

/** All stems that {@link ModelOptions} may name. */
export const STEMS: readonly Stem[] = ["authors", "cifar"];

/**
 * A form of residual network: `xresnet` that of arXiv 1812.01187 and of the authors, `torchvision`
 * that of torchvision and, but for those named with a d, of timm.
 */
export type Variant = "xresnet" | "torchvision";

/** All variants that {@link ModelOptions} may name. */
export const VARIANTS: readonly Variant[] = ["xresnet", "torchvision"];

/** Options of `model`. */
export interface ModelOptions extends DropOptions {
  /** Outputs of the classifier. */
  readonly classes: number;
  /** Channels of the image. Default: 3. */
  readonly channels?: number;
  /** Default: the one that family and variant have. Only for models with a choice of stems. */
  readonly stem?: Stem;
  /** Default: `xresnet`. Only for ResNets. */
  readonly variant?: Variant;
}

/** Options of a model, with those that every network needs. */
export type BuildOptions = ModelOptions & Required<Pick<ModelOptions, "classes" | "channels">>;

/** A network that has a name. */
export interface Model {
  /** Stems that may be asked for. Default: none, it has one of its own. */
  readonly stems?: readonly Stem[];
  /** Variants that may be asked for, the default first. Default: none, it has one form. */
  readonly variants?: readonly Variant[];
  /** What the stem is called that is built where none is asked for; nothing without a choice. */
  stemOf?(variant: Variant | undefined): Stem | "torchvision" | undefined;
  /** How torchvision has it, where it does under other names. */
  readonly torchvision?: Foreign;
  /** The network. `stem` and `variant` are among those that it states. */
  build(options: BuildOptions): Network;
}

/** Networks of one family by name. */
export type Family = Readonly<Record<string, Model>>;
