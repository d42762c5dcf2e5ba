/** The largest number of 8 bits with a sign that has a negative one, too. */
const MOST = 127;

/** The largest bias in 32 bits, half of what they hold, as sums are added to it. */
const MOST_BIAS = 2 ** 30;

/** Weights and biases in whole numbers. */
export interface IntegerWeights {
  /** In the order of the weights. */
  readonly weight: Int8Array;
  /** By output channel: the weight of which 1 is the number. */
  readonly scale: Float32Array;
  /** By output channel: a bias in steps of the scale times that of the input. */
  readonly bias?: Int32Array;
}

/**
 * Symmetric weights of 8 bits, with a scale for each output channel: `w ≈ scale · q`, q from -127 to
 * 127; biases of 32 bits with the scale of the sums that they are added to, that of the input times
 * that of the weights (Krishnamoorthi 2018, arXiv 1806.08342, section 3).
 *
 * @param weight `[out, ...]`, row-major.
 * @param input The scale of the input.
 * @param out Output channels.
 */
export function integerWeights(
  { weight, bias, input, out }: {
    readonly weight: Float32Array;
    readonly bias?: Float32Array;
    readonly input: number;
    readonly out: number;
  },
): IntegerWeights {
  const each = weight.length / out;
  const scale = Float32Array.from({ length: out }, (_, channel) => {
    const own = weight.subarray(channel * each, (channel + 1) * each);
    const largest = own.reduce((most, w) => Math.max(most, Math.abs(w)), 0) / MOST;
    // Large beside the weights of its channel, a bias would not fit its 32 bits.
    const least = bias ? Math.abs(bias[channel]) / (input * MOST_BIAS) : 0;
    return Math.max(largest, least, 2 ** -60);
  });
  return {
    weight: Int8Array.from(weight, (w, i) => Math.round(w / scale[Math.floor(i / each)])),
    scale,
    ...bias &&
      { bias: Int32Array.from(bias, (b, channel) => Math.round(b / (input * scale[channel]))) },
  };
}
