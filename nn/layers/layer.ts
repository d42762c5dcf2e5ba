import type { Tensor } from "../../kernels/gpu/tensor.ts";
import type { Op } from "../../kernels/op.ts";
import type { FusedActivation } from "../../kernels/ops/activations.ts";
import type { Field } from "./fields.ts";
import type { OnnxContext, OnnxStep } from "./onnx_step.ts";

/** The index of the layer that made a value; {@link IMAGE} for the network's input. */
export type Value = number;

/** The input image, `[batch, height, width, channels]`. */
export const IMAGE: Value = -1;

/** The fields that every layer has. */
export interface LayerBase {
  /** Tells kinds of layers apart. */
  readonly kind: string;
  /** The values it is applied to. */
  readonly inputs: readonly Value[];
}

/** Applies an op: outputs as the op documents them, the result first. */
export type Apply = <A>(op: Op<A>, inputs: readonly Tensor[], attributes: A) => readonly Tensor[];

/** The shape of a value, batch and side lengths left out. */
export interface ValueShape {
  /** Channels of an image, or features of a row. */
  readonly channels: number;
  /** Whether there is one row of features for each image: `[batch, channels]`. */
  readonly flat: boolean;
}

/** The options with which the method of a builder was called. */
export interface BuilderCall {
  /** The values that the layer is applied to. */
  readonly inputs: readonly Value[];
  /** Fields of the layer, still unchecked. */
  readonly options?: object;
}

/**
 * Where the channels of a layer's value come from:
 * - `own`: each is made of all channels of the input;
 * - `passed`: those of all inputs, one behind the other, as they are;
 * - `tied`: each is made of one channel of each input, the same one;
 * - `blocks`: so many blocks of neighbouring channels, each made of the block of the input at its
 *   place: grouped convolutions;
 * - `sources`: by channel of the value, the channel of the input that it is.
 */
export type ChannelRule =
  | "own"
  | "passed"
  | "tied"
  | { readonly blocks: number }
  | { readonly sources: readonly number[] };

/** What a dimension of a parameter runs over: channels of the input, of the value, or neither. */
export type Axis = "in" | "out" | "all";

/** One array of numbers of a layer. */
export interface LayerParameter {
  /** Its name behind that of the layer: `weight`. */
  readonly part: string;
  /** Convolutions `[height, width, in, out]`, linear layers `[in, out]`, all else `[channels]`. */
  readonly shape: readonly number[];
  /**
   * By dimension: what it runs over, from which follows what the small network has of it. `in` is
   * the last but one, `out` the last; grouped convolutions, whose second last is part of a block, have
   * only the latter.
   */
  readonly axes: readonly Axis[];
  /** Its first values: drawn from N(0, 1 / fan in), or all of them this number. */
  readonly initial: "normal" | number;
  /** Whether it is a running statistic, which training updates without a gradient. */
  readonly statistic?: boolean;
}

/** The values of a part of a layer, as `weight`. */
export type PartValues = (part: string) => Float32Array;

/**
 * The cost of a layer with c input and d output channels: `pairs` · c · d + `macs` · d
 * multiply-accumulates per pixel of its output, and `pairs` · c · d + `singles` · d parameters.
 */
export interface LayerCost {
  /** Weights for each pair of an input and an output channel. */
  readonly pairs: number;
  /** Other parameters for each output channel. */
  readonly singles: number;
  /** Other multiply-accumulates for each output channel and pixel. Default: none. */
  readonly macs?: number;
}

/** The values and settings that a layer is run with. */
export interface LayerRun {
  /** The values it is applied to. */
  readonly inputs: readonly Tensor[];
  /** Records an op. */
  readonly apply: Apply;
  /** The tensor of one of its parameters or running statistics, as `weight`. */
  readonly parameter: (part: string) => Tensor;
  /** Training uses and updates batch statistics; evaluation uses the running ones. */
  readonly training: boolean;
  /** Added to the variance by norms that state none. Default: {@link NORM_EPS}. */
  readonly eps?: number;
  /** The part of a batch in the running statistics. Default: 0.1. */
  readonly momentum?: number;
  /** Seed and step, `[2]` of type u32, that training draws from; `null` where it draws nothing. */
  readonly noise?: Tensor | null;
  /** Tells the draws of layers apart: the place in the network that is trained as a whole. */
  readonly stream: number;
  /** The activation after it that it does as well; only for kinds that absorb it. Default: none. */
  readonly activation?: AbsorbedActivation;
  /** A value that it adds to its own, before the activation; only for kinds that absorb `sum`. */
  readonly residual?: Tensor;
}

/** An activation that the kernels of the layer before it can do. */
export type AbsorbedActivation = "relu" | FusedActivation;

/** Work of one layer that the kernels of the layer before it can do. */
export type Absorbed = AbsorbedActivation | "sum";

/** Where a layer stands in the small network. */
export interface SmallLayer {
  /** The values that it is applied to there. */
  readonly inputs: readonly Value[];
  /** Channels of these values there. */
  readonly widths: readonly number[];
  /** The number of filters and the taps that are kept of a masked convolution. */
  readonly mask?: { readonly out: number; readonly keptTaps?: readonly boolean[] };
  /** The number of blocks that are kept, for layers whose channels come in blocks. */
  readonly blocks?: number;
}

/** A norm as a factor and a shift of each channel. */
export interface Scaling {
  /** `[channels]`, in float64. */
  readonly factors: Float64Array;
  /** `[channels]`. */
  readonly shifts: Float32Array;
}

/**
 * A kind of layers: all that a network has to know of it. `Args` are what its method of the builder
 * takes. What is not said has no parameters, costs nothing, and leaves shapes as they are.
 */
export interface LayerKind<
  L extends LayerBase = LayerBase,
  Args extends readonly unknown[] = readonly unknown[],
> {
  /** Its name, in layers, in files and as a method of the builder. */
  readonly kind: L["kind"];
  /** The number of values it is applied to: exactly one or two, or two and more. */
  readonly inputs: 1 | 2 | "two or more";
  /** The shape of its inputs: images, one row of features for each image, or either. */
  readonly takes: "image" | "features" | "any";
  /** Whether it makes one row of features out of an image. Default: no. */
  flattens?(layer: L): boolean;
  /** Whether it may give the logits, as the last layer. Default: no. */
  givesLogits?(layer: L): boolean;
  /** Whether it has a field `in`, the channels of its input, which files leave out. */
  readonly countsInputs?: boolean;
  /** Its fields besides `kind`, `inputs` and `in`, in the order in which files have them. */
  readonly fields:
    & Readonly<Record<string, Field>>
    & Readonly<Record<Exclude<keyof L & string, "kind" | "inputs" | "in">, Field>>;

  /** The inputs and fields that its method of the builder was called with. */
  call(...args: Args): BuilderCall;
  /** Channels of its value. Default: those of its first input. */
  width?(layer: L, inputs: readonly number[]): number;
  /** Where they come from, given the channels of its inputs. Default: they are passed on. */
  channels?(layer: L, inputs: readonly number[]): ChannelRule;
  /**
   * Whether inputs of one pixel are spread over the pixels of the others. Default: inputs have
   * equal sides.
   */
  readonly spreads?: boolean;
  /** Height (0) or width (1) of its value, given that of its input. Default: the same. */
  side?(layer: L, side: number, along: 0 | 1): number;
  /** Parameters, given the channels of its value. Default: none. */
  parameters?(layer: L, channels: number): readonly LayerParameter[];
  /** Its cost. Default: nothing. */
  cost?(layer: L): LayerCost;

  /** Whether it draws random numbers in training. Default: no. */
  draws?(layer: L): boolean;
  /** Records the kernels that compute its value. */
  run(layer: L, run: LayerRun): Tensor;
  /** Kinds of work of the layer after it that its kernels can do. */
  readonly absorbs?: readonly Absorbed[];
  /** The kind of work that it is to a layer before it that absorbs it. */
  readonly absorbedAs?: Absorbed;

  /** The factor and shift of each channel, for kinds that do nothing else to their input. */
  scaling?(layer: L, values: PartValues, eps: number): Scaling;
  /**
   * Its weight and bias, if it has one, with its output channels scaled; for kinds into which a
   * scaling can be folded.
   */
  scaled?(
    layer: L,
    values: PartValues,
    factors: Float64Array,
  ): { readonly weight: Float32Array; readonly bias?: Float32Array };
  /** A parameter as files have it. Default: as it is. */
  stored?(layer: L, part: string, values: Float32Array): Float32Array;
  /** Its nodes in ONNX; none where it passes on its input as it is. */
  onnx(layer: L, context: OnnxContext): readonly OnnxStep[];

  /** The layer of the small network. Default: the same, on other inputs. */
  narrowed?(layer: L, small: SmallLayer): L;
  /** Whether both networks may share what it computes, in a shared trunk. Default: true. */
  readonly shareable?: boolean;
  /**
   * Whether each network has parameters of its own for it. Default: slices of the base network's.
   */
  readonly perNetwork?: boolean;
  /** Whether it makes channels that are 0 something else, so that a gate belongs behind it. */
  shifts?(layer: L): boolean;
  /** Whether a channel of its value is 0 where that of any of its inputs is. Default: of all. */
  readonly vanishes?: boolean;
  /** Whether a channel of its value depends on all others, tied though they are not. */
  readonly mixes?: boolean;
  /**
   * Parts of which its op takes the first channels by itself, where these are what is kept. All else
   * is cut before.
   */
  readonly slices?: readonly string[];
}

/** Where the channels of a layer's value come from. */
export function ruleOf<L extends LayerBase>(
  kind: LayerKind<L>,
  layer: L,
  inputs: readonly number[],
): ChannelRule {
  return kind.channels?.(layer, inputs) ?? "passed";
}
