import type { Safetensors } from "../../data/safetensors.ts";
import type { Gpu } from "../../kernels/gpu.ts";
import { adjoinedLoss } from "../../kernels/ops/adjoined_loss.ts";
import { gumbelSoftmax } from "../../kernels/ops/gumbel_softmax.ts";
import { penalty } from "../../kernels/ops/penalty.ts";
import { quadraticForm } from "../../kernels/ops/quadratic_form.ts";
import type { Tensor } from "../../kernels/gpu/tensor.ts";
import { Parameters } from "../../nn/parameters.ts";
import { resnet } from "../../nn/families/mod.ts";
import { runSearch, searchable } from "../../nn/compress/searchable.ts";
import { adjoinedSpecs } from "../../nn/compress/adjoined_state.ts";
import { Tape } from "../../nn/tape.ts";
import { widthCost } from "../../nn/compress/width_cost.ts";
import { type WidthGroups, widthsOfGroup } from "../../nn/compress/width_groups.ts";
import type { WidthGroup } from "../../nn/compress/width_places.ts";
import { Weights } from "../../train/learner.ts";
import { type Finding, references, resnetOptions, stateOf, worst } from "./network.ts";
import { furthest, reference, relativeError } from "./reference.ts";

/** What the files call a group: its convolution, or the stage whose sums it feeds. */
function theirName({ convolutions }: WidthGroup, file: Safetensors): string {
  const stage = /^layer(\d+)\./.exec(convolutions[0])?.[1];
  return file.tensors.has(`theta.${convolutions[0]}`) ? convolutions[0] : `stage${stage}`;
}

/** The values of all groups, one row each. */
function rows(file: Safetensors, prefix: string, { groups }: WidthGroups): number[] {
  return groups.flatMap((group) =>
    Array.from(reference(file, `${prefix}.${theirName(group, file)}`).values)
  );
}

/** Σ_i gate_i [c < width_i] of each group, one after the other. */
function masksOf(groups: WidthGroups, gates: ArrayLike<number>): number[] {
  const candidates = groups.divisors.length;
  return groups.groups.flatMap((_, g) => {
    const widths = widthsOfGroup(groups, g);
    return Array.from({ length: Math.max(...widths) }, (_, c) =>
      widths.reduce(
        (sum, width, i) => sum + (c < width ? gates[g * candidates + i] : 0),
        0,
      ));
  });
}

/** Checks a `search_*` file: gates, masks, cost, losses, gradients of theta and of every weight. */
export async function checkSearch(gpu: Gpu, file: Safetensors): Promise<Finding[]> {
  const { metadata } = file;
  const number = (name: string): number => Number(metadata[name]);
  const network = resnet(resnetOptions(file));
  const search = searchable(network, {
    trunk: metadata.trunk === "separate" ? "separate" : "shared",
    maskFrom: number("masked_from_stage"),
    divisors: JSON.parse(metadata.divisors),
    tie: "stages",
  });
  const { groups, adjoined } = search;
  using scope = gpu.scope();
  const x = reference(file, "x");
  const [, height, width] = x.shape;
  const form = widthCost(network, groups, { budgeted: "macs", image: { height, width } });
  const image = scope.tensor("x", x.shape, x.values);
  const { shape, values } = reference(file, "labels");
  const labels = scope.tensor("labels", shape, values, "u32");
  const scalar = (name: string): Tensor => scope.tensor(name, [1], [number(name)]);
  const [lambda, gamma, temperature] = ["lambda", "gamma", "temperature"].map(scalar);
  const one = scope.tensor("one", [1], [1]);
  const table = [groups.groups.length, groups.divisors.length];
  const theta = scope.tensor("theta", table, rows(file, "theta", groups));
  const noise = scope.tensor("noise", table, rows(file, "noise", groups));
  const dtheta = scope.tensor("dtheta", table);
  const n = form.singles.length;
  const cost = [
    scope.tensor("pairs", [n, n], form.pairs),
    scope.tensor("singles", [n], form.singles),
    scope.tensor("constant", [1], [form.constant]),
  ];
  const weights = new Weights(scope, adjoinedSpecs(adjoined), stateOf(references(file, "init.")));
  const gradients = new Parameters(scope, "gradients", adjoinedSpecs(adjoined).parameters);
  const gradientOf = new Map<Tensor, Tensor>([[theta, dtheta]]);
  for (const { name } of gradients.specs) {
    gradientOf.set(weights.parameters.get(name), gradients.get(name));
  }
  const kept: Tensor[] = [];
  const program = await scope.trace("search step", (trace) => {
    const tape = new Tape(trace, (parameter) => gradientOf.get(parameter));
    const { apply } = tape;
    const [gates] = apply(gumbelSoftmax, [theta, noise, temperature], {});
    const running = { apply, parameter: weights.tensor, training: true, eps: number("bn_eps") };
    const logits = runSearch(search, image, gates, running);
    const inputs = [logits.base, logits.small, labels, lambda];
    const [adjoinedPart, parts] = apply(adjoinedLoss, inputs, { labelSmoothing: 0, detach: false });
    const [spent] = apply(quadraticForm, [gates, ...cost], {});
    const [loss] = apply(penalty, [adjoinedPart, spent, lambda, gamma], {});
    tape.backward(loss, one);
    kept.push(
      ...[gates, logits.base, logits.small, loss, parts, spent].map((value) => trace.keep(value)),
    );
  });
  program.replay();
  const read = await gpu.read([...kept, dtheta, gradients.flat]);
  const [gates, base, small, loss, parts, spent, thetaGradient, flat] = read;
  const of = (name: string): ArrayLike<number> => reference(file, name).values;
  const wanted = stateOf(references(file, "grad."));
  const pairs: [ArrayLike<number>, ArrayLike<number>][] = [
    [loss, of("loss")],
    [[parts[1]], of("cross_entropy")],
    [[parts[2]], of("kl")],
  ];
  return [
    { what: "gates", error: relativeError(gates, rows(file, "gate", groups)), allowed: 1e-4 },
    {
      what: "masks",
      error: relativeError(masksOf(groups, gates), rows(file, "mask", groups)),
      allowed: 1e-4,
    },
    { what: "cost", error: relativeError(spent, of("cost")), allowed: 1e-4 },
    {
      what: "logits",
      error: furthest([[base, of("base_logits")], [small, of("small_logits")]]),
      allowed: 1e-4,
    },
    { what: "losses", error: furthest(pairs), allowed: 1e-4 },
    {
      what: "theta",
      error: relativeError(thetaGradient, rows(file, "grad.theta", groups)),
      allowed: 1e-3,
    },
    {
      what: "gradients",
      error: worst(
        gradients.split(Float32Array.from(flat)),
        new Map([...wanted].filter(([name]) => !name.startsWith("theta."))),
      ),
      allowed: 1e-3,
    },
  ];
}
