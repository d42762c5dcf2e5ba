import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { ValidationBatches } from "../data/batches.ts";
import { DataError } from "../data/error.ts";
import { Random } from "../data/random.ts";
import type { Checkpoint } from "../export/checkpoint.ts";
import { encodeGraph, encodeOnnx, graphOf } from "../export/onnx.ts";
import { INPUT, type OnnxGraph } from "../export/onnx_graph.ts";
import { OnnxSession } from "../export/onnx_session.ts";
import { calibratedRanges, CALIBRATIONS } from "../export/quantize/calibration.ts";
import { entropyRange } from "../export/quantize/entropy.ts";
import { halfGraph } from "../export/quantize/half_graph.ts";
import { Histogram } from "../export/quantize/histogram.ts";
import { integerGraph } from "../export/quantize/integer_graph.ts";
import { integerPlan } from "../export/quantize/plan.ts";
import { percentileRange } from "../export/quantize/percentile.ts";
import { affineOf } from "../export/quantize/range.ts";
import { integerWeights } from "../export/quantize/weights.ts";
import { lacks } from "./permissions.ts";
import { checkpointOf, images, NETWORKS } from "./saved_networks.ts";

const ignore = lacks("read");
const dataset = images(6);
const [first] = new ValidationBatches({ dataset, batch: 6 });
const includeNormalization = false;

/** The logits of a graph in onnxruntime. */
async function logitsOf(graph: OnnxGraph, { network: _, state: __, ...info }: Checkpoint) {
  const { bytes } = encodeGraph({ graph, info, includeNormalization });
  const session = await OnnxSession.open(bytes, "it");
  try {
    return { logits: await session.logits(first), bytes: bytes.length };
  } finally {
    await session.close();
  }
}

/** How far two lists are apart, over the deviation of the first. */
function distance(a: Float32Array, b: Float32Array): number {
  const mean = a.reduce((sum, x) => sum + x, 0) / a.length;
  const square = (f: (x: number, i: number) => number) =>
    a.reduce((sum, x, i) => sum + f(x, i) ** 2, 0);
  return Math.sqrt(square((x, i) => x - b[i]) / square((x) => x - mean));
}

for (const [what, network] of Object.entries(NETWORKS)) {
  Deno.test(
    `integers and weights of 16 bits come close for a network ${what}`,
    { ignore },
    async () => {
      const checkpoint = checkpointOf(network);
      const graph = graphOf(checkpoint, { includeNormalization });
      const ranges = await calibratedRanges(checkpoint, {
        images: new ValidationBatches({ dataset, batch: 4 }),
        ...{ calibration: "minmax", includeNormalization },
      });
      const integers = integerGraph(graph, ranges);
      const float = await logitsOf(graph, checkpoint);
      const int8 = await logitsOf(integers, checkpoint);
      assert(distance(float.logits, int8.logits) < 0.15, `${distance(float.logits, int8.logits)}`);
      assert(distance(float.logits, int8.logits) > 1e-5, "nothing is rounded");
      const half = await logitsOf(halfGraph(graph), checkpoint);
      assert(distance(float.logits, half.logits) < 0.01, `${distance(float.logits, half.logits)}`);
      // All sums of products are of integers, and read them.
      const byName = new Map(integers.nodes.map((node) => [node.name, node]));
      for (const { op, inputs } of integers.nodes) {
        if (op !== "Conv" && op !== "Gemm") continue;
        for (const input of inputs) assertEquals(byName.get(input)?.op, "DequantizeLinear");
      }
    },
  );
}

function histogramOf(...batches: readonly ArrayLike<number>[]): Histogram {
  const histogram = new Histogram("it");
  for (const batch of batches) histogram.add(Float32Array.from(batch));
  return histogram;
}

Deno.test("a histogram does not depend on the order of batches, and its bins double", () => {
  const random = new Random(3, "values");
  const values = Array.from({ length: 300 }, () => random.normal());
  const one = histogramOf(values, [900, -3, 0, 0]);
  const other = histogramOf([0, 900, 0, -3], values.toReversed());
  assertEquals(one.magnitudes(), other.magnitudes());
  assertEquals([one.zeros, one.count, one.high, one.width], [2, 304, 900, 0.25]);
  assertEquals(one.magnitudes().reduce((sum, count) => sum + count, 0), 302);
  assertEquals(one.magnitudes().at(-1), 1);
  assertEquals([one.below(1), one.below(1e-6)], [900.25, -2.75]);
  assertThrows(() => one.add(Float32Array.of(NaN)), DataError, "wanted finite numbers");
});

Deno.test("percentile and entropy cut off what is far from all else, and nothing of even values", () => {
  const random = new Random(3, "values");
  const normal = Array.from({ length: 100_000 }, () => random.normal());
  const far = histogramOf(normal, [60]);
  for (const rangeOf of [percentileRange, entropyRange]) {
    const { low, high } = rangeOf(far);
    assert(low < -3 && low > -5 && high > 3 && high < 6, `${low} ${high}`);
  }
  assertEquals(CALIBRATIONS.minmax(far).high, 60);
  const even = Array.from({ length: 100_000 }, () => random.uniform());
  for (const rangeOf of [percentileRange, entropyRange]) {
    const { low, high } = rangeOf(histogramOf(even));
    assert(low >= 0 && low < 0.001 && high > 0.99 && high <= 1, `${low} ${high}`);
  }
  for (const rangeOf of Object.values(CALIBRATIONS)) {
    assertEquals(rangeOf(histogramOf([0, 0])), { low: 0, high: 0 });
    assertEquals(rangeOf(histogramOf([2, 2, 2])).high, 2);
  }
});

Deno.test("0 is a whole number of steps from any range, also of one without length", () => {
  assertEquals(affineOf({ low: 0, high: 255 }), { scale: 1, zero: 0 });
  assertEquals(affineOf({ low: 51, high: 255 }), { scale: 1, zero: 0 });
  assertEquals(affineOf({ low: -255, high: -3 }), { scale: 1, zero: 255 });
  assertEquals(affineOf({ low: -128, high: 127 }).zero, 128);
  assertEquals(affineOf({ low: 0, high: 0 }), { scale: 2 ** -60, zero: 0 });
});

Deno.test("weights are rounded by half a step of their channel, and biases fit", () => {
  const weight = Float32Array.of(1, -0.5, 0.3, 1000, -200, 70, 0, 0, 0);
  const bias = Float32Array.of(0.7, -3, 1e9);
  const found = integerWeights({ weight, bias, input: 0.01, out: 3 });
  weight.forEach((w, i) => {
    const { [Math.floor(i / 3)]: scale } = found.scale;
    assert(Math.abs(scale * found.weight[i] - w) <= scale * 0.5001);
  });
  assertEquals([found.weight[0], found.weight[3]], [127, 127]);
  bias.forEach((b, i) => {
    const sum = (found.bias?.[i] ?? 0) * 0.01 * found.scale[i];
    assertAlmostEquals(sum, b, Math.abs(b) * 1e-6 + 0.01 * found.scale[i]);
  });
});

Deno.test("activations after sums are left out, gates and norms stay in floats, and so do logits", () => {
  const plan = (name: string) => {
    const graph = graphOf(checkpointOf(NETWORKS[name]), { includeNormalization });
    const { integer, absorbed, ranges } = integerPlan(graph);
    const ops = graph.nodes.filter((node) => integer.has(node.name)).map(({ op }) => op);
    const resized = ops.filter((op) => op === "Resize").length;
    return { graph, ops: [...new Set(ops)].sort(), absorbed: absorbed.size, ranges, resized };
  };
  const resnet = plan("cut out of a ResNet");
  const relus = resnet.graph.nodes.filter(({ op }) => op === "Relu");
  assertEquals(resnet.absorbed, relus.length);
  assertEquals(resnet.ops, [
    ...["Add", "AveragePool", "Conv", "Flatten", "Gemm", "GlobalAveragePool", "MaxPool"],
  ]);
  assert(resnet.ranges.has(INPUT) && !resnet.ranges.has("logits"));
  // A pool of the image is of floats, and so is what joins it with other values.
  assertEquals(plan("of concatenations").ops, ["Conv", "Flatten", "Gemm", "GlobalAveragePool"]);
  // A convolution makes the classes; what comes after it, up to the logits, is of floats.
  assertEquals(plan("cut out of a SqueezeNet").ops, ["Concat", "Conv", "MaxPool"]);
  // The second of two makes a part of the logits.
  assertEquals(plan("whose classes a convolution makes").resized, 1);
  assertEquals(plan("cut out of a ConvNeXt").ops, ["Conv", "Gemm", "Transpose"]);
});

Deno.test(
  "a file in integers has about a quarter of the bytes, one of 16 bits half",
  { ignore },
  async () => {
    const checkpoint = checkpointOf(NETWORKS["of bottlenecks, whole"]);
    const graph = graphOf(checkpoint, { includeNormalization });
    const { parameterBytes } = encodeOnnx(checkpoint, { includeNormalization });
    const { network: _, state: __, ...info } = checkpoint;
    const bytesOf = (graph: OnnxGraph) =>
      encodeGraph({ graph, info, includeNormalization }).parameterBytes;
    const ranges = await calibratedRanges(checkpoint, {
      images: new ValidationBatches({ dataset, batch: 4 }),
      ...{ calibration: "percentile", includeNormalization },
    });
    const all = parameterBytes;
    assert(
      bytesOf(integerGraph(graph, ranges)) < 0.6 * all,
      `${bytesOf(integerGraph(graph, ranges))}`,
    );
    assert(bytesOf(halfGraph(graph)) < 0.6 * all, `${bytesOf(halfGraph(graph))} of ${all}`);
  },
);

Deno.test("ranges are those of values on the images, as it is asked for", { ignore }, async () => {
  const checkpoint = checkpointOf(NETWORKS["cut out of a ResNet"]);
  const rangesOf = (calibration: keyof typeof CALIBRATIONS) =>
    calibratedRanges(checkpoint, {
      images: new ValidationBatches({ dataset: images(60), batch: 10 }),
      ...{ calibration, includeNormalization },
    });
  const all = await rangesOf("minmax");
  for (const calibration of ["percentile", "entropy"] as const) {
    const found = await rangesOf(calibration);
    assertEquals([...found.keys()], [...all.keys()]);
    assert([...found].every(([name, { low, high }]) => {
      const most = all.get(name);
      return most && low >= most.low && high <= most.high;
    }));
    assert([...found].some(([name, { high }]) => high !== all.get(name)?.high), calibration);
  }
});
