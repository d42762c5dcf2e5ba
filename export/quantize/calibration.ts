import type { Batches } from "../../data/batch.ts";
import type { Checkpoint } from "../checkpoint.ts";
import { encodeGraph, graphOf, type OnnxOptions } from "../onnx.ts";
import { INPUT, namesIn } from "../onnx_graph.ts";
import { OnnxSession } from "../onnx_session.ts";
import type { Calibration } from "./calibration_names.ts";
import { entropyRange } from "./entropy.ts";
import { Histogram } from "./histogram.ts";
import { percentileRange } from "./percentile.ts";
import { integerPlan, rangedValues } from "./plan.ts";
import type { Range } from "./range.ts";

/** Ways from the values that occur to the range that is told apart. */
export const CALIBRATIONS = {
  /** All but the outermost. */
  percentile: percentileRange,
  /** Those that lose the least of the distribution. */
  entropy: entropyRange,
  /** All. */
  minmax: ({ low, high }: Histogram): Range => ({ low, high }),
} as const satisfies Readonly<Record<Calibration, (values: Histogram) => Range>>;

/**
 * The ranges of the values of a network that will be integers: those that onnxruntime has for some
 * images.
 *
 * @param images Training images; as many as are in them.
 * @param done Is told of each batch that has been seen: how many images it has.
 */
export async function calibratedRanges(
  checkpoint: Checkpoint,
  { images, calibration, includeNormalization, done = () => {} }: OnnxOptions & {
    readonly images: Batches;
    readonly calibration: Calibration;
    readonly done?: (images: number) => void;
  },
): Promise<Map<string, Range>> {
  const graph = graphOf(checkpoint, { includeNormalization });
  const wanted = rangedValues(integerPlan(graph));
  const { network: _, state: __, ...info } = checkpoint;
  // What a file gives is made by nodes, and so the image has to be.
  const seen = namesIn(graph).take("image.seen");
  const image = { name: seen, op: "Identity", inputs: [INPUT], attributes: {} };
  const whole = { nodes: [image, ...graph.nodes], constants: graph.constants };
  const outputOf = (name: string): string => name === INPUT ? seen : name;
  const values = wanted.map(outputOf);
  const file = encodeGraph({ graph: whole, info, includeNormalization, values });
  const session = await OnnxSession.open(file.bytes, "the network with all its values");
  const histograms = new Map(wanted.map((name) => [name, new Histogram(name)]));
  try {
    for await (const batch of images) {
      const found = await session.values(batch);
      for (const [name, histogram] of histograms) {
        const values = found.get(outputOf(name));
        if (!values) throw new TypeError(`Cannot calibrate ${name}: wanted its values, found none`);
        histogram.add(values);
      }
      done(batch.count);
    }
  } finally {
    await session.close();
  }
  const rangeOf = CALIBRATIONS[calibration];
  return new Map([...histograms].map(([name, histogram]) => [name, rangeOf(histogram)]));
}
