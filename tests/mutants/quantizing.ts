import type { Mutant } from "./mutant.ts";

const QUANTIZE_TEST = "tests/quantize_test.ts";
const COMPACT_TEST = "tests/compact_export_test.ts";

/** Networks in fewer bits that are not as good as they are said to be. */
export const QUANTIZING: readonly Mutant[] = [
  {
    name: "a file that loses too much is saved",
    file: "cli/compact_score.ts",
    find: "if (drop <= maxDrop) return;",
    replace: "if (drop <= 100) return;",
    test: { file: COMPACT_TEST, name: "an export in integers that loses too much" },
  },
  {
    name: "a file has the accuracy of that of floats in its metadata",
    file: "cli/export_compact.ts",
    find: "encode(ofCompact.score.score.top1)",
    replace: "encode(of32.score.score.top1)",
    test: { file: COMPACT_TEST, name: "a file of integers says what it is" },
  },
  {
    name: "a network that loses too much keeps others from being written",
    file: "cli/commands/export.ts",
    find: "!several || !(error",
    replace: "several || !(error",
    test: { file: COMPACT_TEST, name: "of several networks, one that loses too much" },
  },
  {
    name: "networks of integers are read to be trained",
    file: "export/onnx_read/read_onnx.ts",
    find: "    demandFloats(graph, bytes);\n",
    replace: "",
    test: { file: COMPACT_TEST, name: "a file with weights of 16 bits is not trained from" },
  },
  {
    name: "calibration takes any number of images",
    file: "data/folder.ts",
    find: "Math.min(trainCount, trained)",
    replace: "trained",
    test: { file: COMPACT_TEST, name: "a file of integers says what it is" },
  },
  {
    name: "calibration takes images that the run was not trained on",
    file: "data/folder.ts",
    find: "Math.min(among, all)",
    replace: "all",
    test: { file: COMPACT_TEST, name: "a file with weights of 16 bits" },
  },
  {
    name: "ranges are those of percentiles, whatever is asked for",
    file: "export/quantize/calibration.ts",
    find: "CALIBRATIONS[calibration]",
    replace: "CALIBRATIONS.percentile",
    test: { file: QUANTIZE_TEST, name: "ranges are those of values on the images" },
  },
  {
    name: "bins that are doubled lose those below 0",
    file: "export/quantize/histogram.ts",
    find: "for (let i = -BINS; i < BINS; i++) {\n        merged",
    replace: "for (let i = 0; i < BINS; i++) {\n        merged",
    test: { file: QUANTIZE_TEST, name: "a histogram does not depend on the order" },
  },
  {
    name: "entropy cuts nothing off",
    file: "export/quantize/entropy.ts",
    find: "if (found <= best.divergence)",
    replace: "if (found < 0)",
    test: { file: QUANTIZE_TEST, name: "percentile and entropy cut off what is far" },
  },
  {
    name: "a range without 0 is not made longer",
    file: "export/quantize/range.ts",
    find: "Math.min(range.low, 0)",
    replace: "range.low",
    test: { file: QUANTIZE_TEST, name: "0 is a whole number of steps" },
  },
  {
    name: "all channels of weights have the steps of the first",
    file: "export/quantize/weights.ts",
    find: "own = weight.subarray(channel * each, (channel + 1) * each)",
    replace: "own = weight.subarray(0, each)",
    test: { file: QUANTIZE_TEST, name: "weights are rounded by half a step" },
  },
  {
    name: "large biases beside small weights overflow",
    file: "export/quantize/weights.ts",
    find: "Math.max(largest, least, 2 ** -60)",
    replace: "Math.max(largest, 2 ** -60)",
    test: { file: QUANTIZE_TEST, name: "weights are rounded by half a step" },
  },
  {
    name: "the means that are the logits are of integers",
    file: "export/quantize/plan.ts",
    find: "!tail.has(node.name) &&",
    replace: "node.name !== OUTPUT &&",
    test: { file: QUANTIZE_TEST, name: "activations after sums are left out" },
  },
  {
    name: "activations stay beside integers that are cut at 0",
    file: "export/quantize/plan.ts",
    find: 'const next = kind === "moves" ? undefined : activationOf(node);',
    replace: 'const next = kind === "moves" ? activationOf(node) : undefined;',
    test: { file: QUANTIZE_TEST, name: "activations after sums are left out" },
  },
];
