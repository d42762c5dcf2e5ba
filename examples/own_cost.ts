/**
 * A search of widths within a budget of one's own: the energy of one image, in joules.
 *
 *     deno run examples/own_cost.ts
 *
 * A cost is a polynomial of the gates, and costs can be added up: multiply-accumulates and weights are
 * counted by the library, what convolutions read and write is counted here. The search keeps to half
 * of the joules, and the network that comes out is counted again. Its few seconds of training find no
 * good widths; they printed:
 *
 *     base      90.7 µJ, 3125888 MACs, 78042 parameters
 *     searched  44.7 µJ, 1467008 MACs, 26066 parameters
 *     0.493 of the energy, with 4, 16, 32, 32, 32, 8, 64, 64 filters
 *
 * @module
 */
import {
  adjoin,
  adjoinedSpecs,
  channelsOf,
  chosenWidths,
  count,
  Gates,
  generatedSplit,
  Gpu,
  IMAGE,
  type ImageSize,
  initialize,
  Learner,
  model,
  type Network,
  Random,
  searchable,
  sizesOf,
  TrainingBatches,
  TrainingStep,
  type Value,
  type WidthCost,
  widthCost,
  type WidthGroups,
} from "@adjoin/adjoin";

/** Joules of a multiply-accumulate of float32, and of a float32 from memory: Horowitz, ISSCC 2014. */
const JOULES = { mac: 4.6e-12, float: 640e-12 };

const image: ImageSize = { height: 16, width: 16 };

/** The values that convolutions read and write, and the pixels of each. */
function traffic(network: Network): { value: Value; pixels: number }[] {
  const sizes = sizesOf(network, image);
  return network.layers.flatMap(({ kind, inputs: [input] }, i) =>
    kind !== "conv2d" ? [] : [input, i].map((value) => {
      const { height, width } = value === IMAGE ? image : sizes[value];
      return { value, pixels: height * width };
    })
  );
}

/** Joules of one image: of its multiply-accumulates, weights, and of what is read and written. */
function joules(network: Network): number {
  const { macs, params } = count(network, image);
  const channels = channelsOf(network);
  const floats = traffic(network).reduce(
    (sum, { value, pixels }) =>
      sum + pixels * (value === IMAGE ? network.channels : channels[value]),
    params,
  );
  return JOULES.mac * macs + JOULES.float * floats;
}

/** The same of all networks that a search may choose, over that of the whole one. */
function joulesCost(network: Network, groups: WidthGroups): WidthCost {
  const whole = joules(network);
  const { macs, params } = count(network, image);
  const weighted = [
    { cost: widthCost(network, groups, { budgeted: "macs", image }), by: JOULES.mac * macs },
    { cost: widthCost(network, groups, { budgeted: "params", image }), by: JOULES.float * params },
  ].map(({ cost, by }) => ({ cost, by: by / whole }));
  const sum = (part: (cost: WidthCost) => number): number =>
    weighted.reduce((total, { cost, by }) => total + by * part(cost), 0);

  let constant = sum((cost) => cost.constant);
  const singles = weighted[0].cost.singles.map((_, i) => sum((cost) => cost.singles[i]));
  const pairs = weighted[0].cost.pairs.map((_, i) => sum((cost) => cost.pairs[i]));
  for (const { value, pixels } of traffic(network)) {
    const each = JOULES.float * pixels / whole;
    // What a value has of channels: some always, others as the groups choose.
    const extent = value === IMAGE ? undefined : groups.extents[value];
    constant += each * (extent?.whole ?? network.channels);
    for (const { group, widths } of extent?.parts ?? []) {
      widths.forEach((width, k) => singles[group * groups.divisors.length + k] += each * width);
    }
  }
  return { constant, singles, pairs };
}

const base = model("resnet8", { classes: 10 });
const search = searchable(base, { maskFrom: 1, divisors: [1, 2, 4, 8] });
const cost = joulesCost(base, search.groups);
const { train, normalization } = generatedSplit({ train: 128, validation: 1, size: 16, seed: 0 });

const gpu = await Gpu.open();
using scope = gpu.scope();
const gates = new Gates(scope, {
  groups: search.groups,
  cost,
  budget: 0.5,
  seed: 0,
  schedule: { lr: 0.05, temperature: [5, 0.5] },
});
const specs = adjoinedSpecs(search.adjoined);
const random = new Random(0, "initial weights");
const step = await TrainingStep.trace(scope, {
  objective: { mode: "search", search, detach: false },
  learner: new Learner(scope, {
    specs,
    state: initialize(specs, base, () => random.normal()),
    optimizer: { name: "adamw", weightDecay: 1e-2, beta2: 0.99, eps: 1e-6 },
  }),
  gates,
  feed: { dataset: train, normalization, batch: 32, image },
  labelSmoothing: 0,
});
const batches = new TrainingBatches({ dataset: train, batch: 32, seed: 0 });
const epochs = 6;
for (let epoch = 0, done = 0; epoch < epochs; epoch++) {
  for (const batch of batches.epoch(epoch)) {
    gates.prepare(done++ / (epochs * batches.length));
    step.run(batch, { lr: 0.004, momentum: 0.9, lambda: 1 });
  }
}
const widths = chosenWidths(base, search.groups, await gates.choose());
gpu.destroy();

const { small } = adjoin(base, { compression: 1, maskFrom: 1, widths });
const said = (network: Network): string => {
  const { macs, params } = count(network, image);
  return `${(1e6 * joules(network)).toFixed(1)} µJ, ${macs} MACs, ${params} parameters`;
};
const filters = Object.values(widths).join(", ");
console.log(`base      ${said(base)}`);
console.log(`searched  ${said(small)}`);
console.log(`${(joules(small) / joules(base)).toFixed(3)} of the energy, with ${filters} filters`);
