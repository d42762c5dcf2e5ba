import type { Mutant } from "./mutant.ts";

const NETWORKS = "train/resume/state_networks.ts";
const NETWORKS_TEST = "tests/state_networks_test.ts";
const COMMANDS_TEST = "tests/checkpoint_commands_test.ts";

/** Checkpoints of runs out of which other networks come, or whose networks go elsewhere. */
export const CHECKPOINTS: readonly Mutant[] = [
  {
    name: "networks of a checkpoint have the last weights, not their averages",
    file: NETWORKS,
    find: '["average", "average statistics"]',
    replace: '["parameters", "statistics"]',
    test: { file: NETWORKS_TEST, name: "averages of the weights are what counts" },
  },
  {
    name: "a search has a small network at full width",
    file: NETWORKS,
    find: '  if (isOfSearch(state)) return alone("base", given ?? baseOf(options, images));\n',
    replace: "",
    test: { file: NETWORKS_TEST, name: "a search has its base network in its checkpoint" },
  },
  {
    name: "weights of the middle of an epoch have the accuracy of its beginning",
    file: NETWORKS,
    find: "!last || step > 0 ||",
    replace: "!last ||",
    test: { file: NETWORKS_TEST, name: "the accuracy is that of the weights" },
  },
  {
    name: "tensors of other sizes are taken out of a checkpoint",
    file: NETWORKS,
    find: "|| values.length !== count",
    replace: "",
    test: { file: NETWORKS_TEST, name: "a checkpoint that lacks something" },
  },
  {
    name: "infinite weights are taken out of a checkpoint",
    file: NETWORKS,
    find: "if (!wrong) return [name, values];",
    replace: "if (!wrong || wrong) return [name, values];",
    test: { file: NETWORKS_TEST, name: "a checkpoint that lacks something" },
  },
  {
    name: "pictures are forgotten to have been cut",
    file: NETWORKS,
    find: "return { cropPct, interpolation };",
    replace: "return {};",
    test: { file: NETWORKS_TEST, name: "pictures are shown to the network as they were" },
  },
  {
    name: "a run starts from the small network of a checkpoint",
    file: "train/given_networks.ts",
    find: 'which === "base") ?? networks[0]',
    replace: 'which === "small") ?? networks[0]',
    test: { file: COMMANDS_TEST, name: "a run starts from a checkpoint" },
  },
  {
    name: "the folder of images that a checkpoint names is not resolved",
    file: "cli/run/run_data.ts",
    find: "config?.dataDir ?? options.dataDir",
    replace: "options.dataDir",
    test: { file: COMMANDS_TEST, name: "the images of a checkpoint are those that it names" },
  },
  {
    name: "an export goes over a checkpoint of the run",
    file: "cli/run/export_output.ts",
    find: "keeps: [file, ...checkpoints, ...filesOf(run),",
    replace: "keeps: [file, ...filesOf(run),",
    test: { file: COMMANDS_TEST, name: "what is exported out of a checkpoint" },
  },
  {
    name: "an export out of a checkpoint goes over the run's networks",
    file: "cli/run/export_output.ts",
    find: "...checkpoints, ...filesOf(run),",
    replace: "...checkpoints,",
    test: { file: COMMANDS_TEST, name: "what is exported out of a checkpoint" },
  },
  {
    name: "exports out of the checkpoints of a run outlive it",
    file: "cli/run/replacing.ts",
    find: " || isExportedName(name)",
    replace: "",
    test: {
      file: "tests/replacing_test.ts",
      name: "what was exported out of checkpoints goes with their run",
    },
  },
  {
    name: "a run without end says nothing of its checkpoints",
    file: "cli/run/replacing.ts",
    find: "checkpointCure(path) ?? ",
    replace: "",
    test: { file: COMMANDS_TEST, name: "a run without end names its checkpoints" },
  },
];
