/**
 * A search of widths within a budget of one's own: the energy of one image, in joules.
 *
 *     deno run examples/own_cost.ts
 *
 * A cost is a list of terms: so much for each channel of a value, or for each pair of channels of two.
 * The search keeps to half of the joules, and the network that comes out is counted again. It takes a
 * few seconds, too few for good widths, and printed:
 *
 *     base      90.7 µJ, 3125888 MACs, 78042 parameters
 *     searched  45.5 µJ, 1430144 MACs, 27210 parameters
 *     0.501 of the energy, with 8, 16, 16, 32, 32, 16, 64, 64 filters
 *
 * @module
 */
import {
  adjoin,
  channelsOf,
  CostSum,
  type CostTerm,
  costTerms,
  count,
  generatedSplit,
  IMAGE,
  model,
  type Network,
  search,
  type SearchedNetwork,
  sizesOf,
  type WidthCost,
} from "@adjoin/adjoin";

/** Joules of a multiply-accumulate of float32, and of a float32 from memory: Horowitz, ISSCC 2014. */
const JOULES = { mac: 4.6e-12, float: 640e-12 };

const image = { height: 16, width: 16 };

/** The energy of an image: of multiply-accumulates, of weights, and of what is read and written. */
function energy(network: Network): CostTerm[] {
  const counted = (budgeted: "macs" | "params", joules: number): CostTerm[] =>
    costTerms(network, { budgeted, image })
      .map(({ factor, values }) => ({ factor: joules * factor, values }));
  const sizes = sizesOf(network, image);
  const moved = network.layers.flatMap(({ kind, inputs: [input] }, i) =>
    kind !== "conv2d" ? [] : [input, i].map((value): CostTerm => {
      const { height, width } = value === IMAGE ? image : sizes[value];
      return { factor: JOULES.float * height * width, values: [value] };
    })
  );
  return [
    ...counted("macs", JOULES.mac),
    ...counted("params", JOULES.float),
    ...moved,
  ];
}

/** The joules of a network as it is. */
function joules(network: Network): number {
  const channels = channelsOf(network);
  return energy(network).reduce(
    (sum, { factor, values }) =>
      sum + values.reduce(
        (product, value) => product * (value === IMAGE ? network.channels : channels[value]),
        factor,
      ),
    0,
  );
}

/** The joules of the networks that a search may choose, over those of the whole one. */
function cost({ base, groups }: SearchedNetwork): WidthCost {
  const whole = joules(base);
  const sum = new CostSum(groups);
  for (const { factor, values } of energy(base)) {
    const [a, b] = values.map((value) =>
      value === IMAGE ? { whole: base.channels, parts: [] } : groups.extents[value]
    );
    sum.addProduct(factor / whole, a, b);
  }
  return sum;
}

const base = model("resnet8", { classes: 10 });
const { widths } = await search({
  data: generatedSplit({ train: 128, validation: 10, size: 16, seed: 0 }),
  model: base,
  maskFrom: 1,
  divisors: [1, 2, 4, 8],
  cost,
  budget: 0.5,
  searchEpochs: 6,
  batchSize: 32,
  widthsOnly: true,
});
const found = widths.small.widths;
const { small } = adjoin(base, { compression: 1, maskFrom: 1, widths: found });

const said = (network: Network): string => {
  const { macs, params } = count(network, image);
  return `${(1e6 * joules(network)).toFixed(1)} µJ, ${macs} MACs, ${params} parameters`;
};
console.log(`base      ${said(base)}`);
console.log(`searched  ${said(small)}`);
const part = (joules(small) / joules(base)).toFixed(3);
console.log(
  `${part} of the energy, with ${Object.values(found).join(", ")} filters`,
);
