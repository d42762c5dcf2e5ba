import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { TrainingBatches } from "../data/batches.ts";
import { generatedSplit } from "../data/generated.ts";
import { Random } from "../data/random.ts";
import { adjoinedLoss } from "../kernels/ops/adjoined_loss.ts";
import { Gpu } from "../kernels/gpu.ts";
import { gumbelNoise } from "../kernels/ops/gumbel.ts";
import { gumbelSoftmax } from "../kernels/ops/gumbel_softmax.ts";
import { quadraticForm } from "../kernels/ops/quadratic_form.ts";
import type { Scope } from "../kernels/program/scope.ts";
import type { Tensor } from "../kernels/gpu/tensor.ts";
import { adjoin } from "../nn/compress/adjoin.ts";
import { channelClasses } from "../nn/compress/channel_classes.ts";
import { runNetwork } from "../nn/forward.ts";
import { runAdjoined } from "../nn/compress/run_adjoined.ts";
import { type Network, network } from "../nn/network.ts";
import type { State } from "../nn/parameters.ts";
import { model, resnet } from "../nn/families/mod.ts";
import { narrowState, runSearch, type Search, searchable } from "../nn/compress/searchable.ts";
import { initialize, networkSpecs } from "../nn/state.ts";
import { adjoinedSpecs, extract } from "../nn/compress/adjoined_state.ts";
import { Tape } from "../nn/tape.ts";
import { feasible, softmax } from "../nn/compress/width_choice.ts";
import { costOf, widthCost } from "../nn/compress/width_cost.ts";
import { chosenWidths, type WidthOptions } from "../nn/compress/width_groups.ts";
import { readArguments } from "../cli/arguments.ts";
import { UsageError } from "../train/errors.ts";
import { Gates } from "../train/gates.ts";
import { applying, Learner, Weights } from "../train/learner.ts";
import { searchRequest } from "../cli/options.ts";
import { openSearch } from "../cli/run/open_run.ts";
import { findWidths, type SearchJob } from "../train/search.ts";
import { TrainingStep } from "../train/step.ts";
import type { GatesState } from "../train/types.ts";
import { encodeWidths } from "../export/widths_file.ts";
import { PIECE_NAMES, randomGraph } from "./random_graph.ts";
import { randomNetwork } from "./random_network.ts";
import { SILENT } from "../train/silent.ts";

async function withGpu<T>(test: (gpu: Gpu) => Promise<T>): Promise<T> {
  const gpu = await Gpu.open();
  try {
    return await test(gpu);
  } finally {
    gpu.destroy();
  }
}

/** A state in which nothing is zero or one, the norms' shifts and statistics included. */
function randomState({ adjoined }: Search, random: Random): State {
  const specs = adjoinedSpecs(adjoined);
  const state = initialize(specs, adjoined.base, () => random.normal());
  for (const { name, shape } of [...specs.parameters, ...specs.statistics]) {
    const values = state.get(name)!;
    if (name.endsWith("running_var")) values.forEach((_, i) => values[i] = 0.5 + random.uniform());
    else if (shape.length === 1) values.forEach((_, i) => values[i] = random.normal());
  }
  return state;
}

const IMAGES = [2, 9, 11, 3];

function imageIn(scope: Scope, random: Random): Tensor {
  const length = IMAGES.reduce((a, b) => a * b);
  return scope.tensor("image", IMAGES, Float32Array.from({ length }, () => random.normal()));
}

/**
 * The largest difference, over the largest logit, between the gated small network, the masked one
 * and the one that is cut out, over random choices of widths.
 */
async function disagreement(
  gpu: Gpu,
  { net, options, trunk, choices, random }: {
    net: Network;
    options: WidthOptions;
    trunk: "shared" | "separate";
    choices: number;
    random: Random;
  },
): Promise<number> {
  using scope = gpu.scope();
  const search = searchable(net, { ...options, trunk });
  const { groups: tied } = search;
  const candidates = tied.divisors.length;
  const state = randomState(search, random);
  const image = imageIn(scope, random);
  const gates = scope.tensor("gates", [tied.groups.length, candidates]);
  const weights = new Weights(scope, adjoinedSpecs(search.adjoined), state);
  const outputs: Tensor[] = [];
  const gated = await scope.trace("gated", (trace) => {
    const running = { apply: applying(trace), parameter: weights.tensor, training: false };
    outputs.push(trace.keep(runSearch(search, image, gates, running).small));
  });
  let worst = 0;
  for (let n = 0; n < choices; n++) {
    using inner = gpu.scope();
    const choice = tied.groups.map(() => random.integer(candidates));
    scope.write(gates, choice.flatMap((k) => tied.divisors.map((_, i) => +(i === k))));
    const widths = chosenWidths(net, tied, choice);
    const { maskFrom } = options;
    const adjoined = adjoin(net, { compression: 1, maskFrom, trunk, widths });
    const narrowed = narrowState(state, adjoined);
    const pair = new Weights(inner, adjoinedSpecs(adjoined), narrowed);
    const cut = new Weights(inner, networkSpecs(adjoined.small), extract(adjoined, narrowed));
    const others: Tensor[] = [];
    const program = await inner.trace("masked and cut out", (trace) => {
      const running = { apply: applying(trace), training: false };
      const masked = runAdjoined(adjoined, image, { ...running, parameter: pair.tensor });
      const alone = runNetwork(adjoined.small, image, { ...running, parameter: cut.tensor });
      others.push(trace.keep(masked.small), trace.keep(alone));
    });
    gated.replay();
    program.replay();
    const [found, ...wanted] = await gpu.read([...outputs, ...others]);
    const scale = Math.max(1, ...Array.from(found, Math.abs));
    for (const other of wanted) {
      assertEquals(other.length, found.length);
      for (const [i, value] of Array.from(other).entries()) {
        worst = Math.max(worst, Math.abs(value - found[i]) / scale);
      }
    }
  }
  return worst;
}

const thin = resnet({
  block: "basic",
  depths: [1, 2],
  widths: [5, 8],
  stem: [5],
  reduce: false,
  classes: 4,
});

Deno.test("for 60 choices the gated, the masked and the extracted network agree", () =>
  withGpu(async (gpu) => {
    const random = new Random(1, "choices");
    for (const maskFrom of [1, 2]) {
      const trunk = maskFrom === 1 ? "separate" : "shared";
      const options = { maskFrom, divisors: [1, 2, 3, 5] };
      const found = await disagreement(gpu, { net: thin, options, trunk, choices: 30, random });
      assert(found <= 1e-4, `masked from ${maskFrom}: ${found}`);
    }
  }));

Deno.test("so they do where norms follow sums and values are narrowed", () =>
  withGpu(async (gpu) => {
    const random = new Random(2, "networks");
    for (let n = 0; n < 12; n++) {
      const net = randomNetwork(random);
      const options = { maskFrom: 1 + n % 2, divisors: [1, 2, 7] };
      const found = await disagreement(gpu, {
        ...{ net, options, random },
        trunk: n % 3 ? "shared" : "separate",
        choices: 3,
      });
      assert(found <= 1e-4, `network ${n}: ${found}`);
    }
  }));

Deno.test("so they do on graphs of all kinds of layers, whatever order channels are kept in", () =>
  withGpu(async (gpu) => {
    const random = new Random(4, "graphs");
    for (const [n, piece] of PIECE_NAMES.entries()) {
      const net = randomGraph(random, piece);
      const maskFrom = (): boolean => true;
      const { count } = channelClasses(net, maskFrom);
      const scores = n % 2
        ? Float64Array.from({ length: count }, () => random.normal())
        : undefined;
      const options = { maskFrom, divisors: [1, 2, 5], scores };
      const trunk = n % 3 ? "shared" : "separate";
      const found = await disagreement(gpu, { net, options, random, trunk, choices: 2 });
      assert(found <= 1e-4, `${piece}: ${found}`);
    }
  }));

/** Groups of channels some of which are whole, biases, and squeeze-and-excitation. */
const halfWhole = network({ channels: 3 }, (n) => {
  n.stage(0);
  const stem = n.conv2d(n.image, { name: "stem", out: 2, kernel: 3 });
  n.stage(1);
  const a = n.conv2d(stem, { name: "a", out: 10, kernel: 1, bias: true });
  const both = n.concat([n.silu(n.batchNorm(a, { name: "an" })), stem]);
  const groups = { out: 8, kernel: 3, groups: 4, bias: true };
  const b = n.hardSwish(n.conv2d(both, { name: "b", ...groups }));
  const pooled = n.globalAvgPool2d(b, { keepImage: true });
  const gate = n.conv2d(pooled, { name: "gate", out: 8, kernel: 1, bias: true });
  const c = n.conv2d(n.multiply(b, n.sigmoid(gate)), { name: "c", out: 6, kernel: 1 });
  n.linear(n.globalAvgPool2d(n.relu(c)), { name: "fc", out: 4 });
});

Deno.test("so they do where groups have whole channels, and gates have biases", () =>
  withGpu(async (gpu) => {
    const random = new Random(6, "groups");
    const options = { maskFrom: 1, divisors: [1, 2, 4] };
    const shared = { net: halfWhole, options, random, trunk: "shared", choices: 6 } as const;
    const found = await disagreement(gpu, shared);
    assert(found <= 1e-4, `${found}`);
    const { gates, inputGates } = searchable(halfWhole, options).groups;
    const at = (kind: string): number => halfWhole.layers.findIndex((layer) => layer.kind === kind);
    // The other factor has been gated.
    assertEquals(gates[at("sigmoid")], undefined);
    assertEquals(inputGates.flatMap((list, i) => list.map(() => i)), [at("concat") + 1]);
  }));

/** The largest gradient of the logits of the widths, from the KL term alone. */
async function thetaGradient(gpu: Gpu, search: Search): Promise<number> {
  using scope = gpu.scope();
  const random = new Random(3, "state");
  const { adjoined, groups: tied } = search;
  const state = randomState(search, random);
  const weights = new Weights(scope, adjoinedSpecs(adjoined), state);
  const image = imageIn(scope, random);
  const labels = scope.tensor("labels", [IMAGES[0]], [1, 2], "u32");
  const [one, lambda] = ["one", "lambda"].map((name) => scope.tensor(name, [1], [1]));
  const shape = [tied.groups.length, tied.divisors.length];
  const [theta, noise, dtheta] = ["theta", "noise", "dtheta"].map((name) =>
    scope.tensor(name, shape)
  );
  const program = await scope.trace("search step", (trace) => {
    const tape = new Tape(trace, (parameter) => parameter === theta ? dtheta : undefined);
    const { apply } = tape;
    const [gates] = apply(gumbelSoftmax, [theta, noise, one], {});
    const running = { apply, parameter: weights.tensor, training: true };
    const { base, small } = runSearch(search, image, gates, running);
    const [loss] = apply(adjoinedLoss, [base, small, labels, lambda], {
      labelSmoothing: 0,
      detach: false,
    });
    tape.backward(loss, one);
  });
  program.replay();
  const [found] = await gpu.read([dtheta]);
  return Math.max(...Array.from(found, Math.abs));
}

/** Convolutions and norms after one another. */
const chain = network({ channels: 3 }, (n) => {
  let x = n.image;
  for (const name of ["a", "b", "c"]) {
    x = n.relu(n.batchNorm(n.conv2d(x, { name, out: 8, kernel: 3 }), { name: `${name}n` }));
  }
  n.linear(n.globalAvgPool2d(x), { name: "fc", out: 4 });
});

Deno.test("the widths learn, as gates act after the norm: before it, the norm would undo them", () =>
  withGpu(async (gpu) => {
    const search = searchable(chain, { maskFrom: () => true, divisors: [1, 2, 4] });
    const after = await thetaGradient(gpu, search);
    assert(after > 1e-4, `${after}`);
    // A norm comes right behind its convolution.
    const gates = chain.layers.map((_, i) => search.groups.gates[i + 1]);
    const before = await thetaGradient(gpu, { ...search, groups: { ...search.groups, gates } });
    assert(before < after / 100, `${before} before, ${after} after the norm`);
  }));

Deno.test("noise has mean and variance of Gumbel's distribution, and no two draws are alike", () =>
  withGpu(async (gpu) => {
    using scope = gpu.scope();
    const noise = scope.tensor("noise", [1000, 100]);
    const counter = scope.tensor("counter", [2], [7, 0], "u32");
    const program = await scope.trace("noise", (trace) => {
      applying(trace)(gumbelNoise, [noise, counter], {});
    });
    const draws: Float64Array[] = [];
    for (let n = 0; n < 2; n++) {
      program.replay();
      draws.push(Float64Array.from((await gpu.read([noise]))[0]));
    }
    const mean = (values: Float64Array): number => values.reduce((a, b) => a + b) / values.length;
    // Standard errors over 1e5 draws: 0.004 of the mean, 0.011 of the variance.
    const [first, second] = draws.map((values) => {
      assertEquals(values.length, 1e5);
      const center = mean(values);
      assert(Math.abs(center - 0.5772) < 0.02, `mean ${center}`);
      const variance = mean(values.map((value) => (value - center) ** 2));
      assert(Math.abs(variance - Math.PI ** 2 / 6) < 0.06, `variance ${variance}`);
      return values.map((value) => (value - center) / Math.sqrt(variance));
    });
    const correlation = mean(first.map((value, i) => value * second[i]));
    assert(Math.abs(correlation) < 0.02, `correlation ${correlation}`);
  }));

Deno.test("the cost on the GPU is the expected one, and its gradient leads downhill", () =>
  withGpu(async (gpu) => {
    using scope = gpu.scope();
    const { groups } = searchable(thin, { maskFrom: 1 });
    const form = widthCost(thin, groups, { budgeted: "macs", image: { height: 9, width: 9 } });
    const [rows, columns] = [groups.groups.length, groups.divisors.length];
    const n = rows * columns;
    const random = new Random(5, "logits");
    const logits = Float32Array.from({ length: n }, () => random.normal());
    const theta = scope.tensor("theta", [rows, columns], logits);
    const [noise, dtheta] = ["noise", "dtheta"].map((name) => scope.tensor(name, [rows, columns]));
    const one = scope.tensor("one", [1], [1]);
    const inputs = [
      scope.tensor("pairs", [n, n], form.pairs),
      scope.tensor("singles", [n], form.singles),
      scope.tensor("constant", [1], [form.constant]),
    ];
    const costs: Tensor[] = [];
    const program = await scope.trace("cost", (trace) => {
      const tape = new Tape(trace, (parameter) => parameter === theta ? dtheta : undefined);
      const [gates] = tape.apply(gumbelSoftmax, [theta, noise, one], {});
      const [cost] = tape.apply(quadraticForm, [gates, ...inputs], {});
      tape.backward(cost, one);
      costs.push(trace.keep(cost));
    });
    program.replay();
    const [[cost], gradient] = await gpu.read([...costs, dtheta]);
    const at = (i: number, by: number): number =>
      costOf(form, softmax(Float64Array.from(logits, (x, j) => i === j ? x + by : x), columns));
    assert(Math.abs(cost - at(0, 0)) < 1e-6, `${cost}`);
    for (let i = 0; i < n; i++) {
      const slope = (at(i, 1e-4) - at(i, -1e-4)) / 2e-4;
      assert(Math.abs(gradient[i] - slope) < 1e-5, `${i}: ${gradient[i]}, ${slope}`);
    }
  }));

/** Gates of the thin network, and a program that draws from them. */
async function drawing(scope: Scope, seed: number): Promise<() => Promise<Float32Array>> {
  const { groups } = searchable(thin, { maskFrom: 1 });
  const cost = widthCost(thin, groups, {
    budgeted: "macs",
    image: { height: 9, width: 9 },
  });
  const schedule = { lr: 0.05, temperature: [5, 0.5] } as const;
  const { least, most } = feasible(groups, cost);
  const budget = (least + most) / 2;
  const gates = new Gates(scope, { groups, cost, budget, seed, schedule });
  gates.prepare(0.5);
  const state = await gates.read();
  assert(Math.abs(state.expected - budget) < 1e-5);
  assertEquals(state.budget, budget);
  assert(Math.abs(state.temperature - Math.sqrt(5 * 0.5)) < 1e-9, "geometric");
  const drawn: Tensor[] = [];
  const program = await scope.trace("draw", (trace) => {
    drawn.push(trace.keep(gates.draw(applying(trace))));
  });
  const [{ shape: [rows, columns] }] = drawn;
  return async () => {
    program.replay();
    const values = Float32Array.from((await scope.gpu.read(drawn))[0]);
    for (let row = 0; row < rows; row++) {
      const sum = values.subarray(row * columns, (row + 1) * columns).reduce((a, b) => a + b);
      assert(Math.abs(sum - 1) < 1e-5, `${sum}`);
    }
    assert(costOf(cost, values) > least && costOf(cost, values) < most);
    return values;
  };
}

Deno.test("each step draws gates of its own, the same ones for the same seed", () =>
  withGpu(async (gpu) => {
    using scope = gpu.scope();
    const [a, b, c] = [await drawing(scope, 1), await drawing(scope, 1), await drawing(scope, 2)];
    const first = await a();
    const second = await a();
    assert(first.some((value, i) => Math.abs(value - second[i]) > 0.01));
    assertEquals([await b(), await b()], [first, second]);
    const other = await c();
    assert(first.some((value, i) => Math.abs(value - other[i]) > 0.01));
  }));

const TINY = [
  ...["--epochs", "2", "--train-size", "32", "--val-size", "16", "--batch-size", "16"],
  ...["--mask-from", "1", "--search-epochs", "2", "--search-lr", "0.5"],
];

function opened(...args: string[]): Promise<SearchJob> {
  const { options, find } = searchRequest(readArguments("search", [...TINY, ...args]));
  return openSearch(options, find);
}

Deno.test("a step of a search whose gates were not prepared is refused, not NaN", () =>
  withGpu(async (gpu) => {
    using scope = gpu.scope();
    const { train, normalization } = generatedSplit({ train: 4, validation: 1, size: 12, seed: 0 });
    const image = { height: 12, width: 12 };
    const search = searchable(model("resnet8", { classes: train.classes.length, stem: "cifar" }), {
      maskFrom: 1,
    });
    const { adjoined, groups } = search;
    const cost = widthCost(adjoined.base, groups, { budgeted: "macs", image });
    const budget = (feasible(groups, cost).least + feasible(groups, cost).most) / 2;
    const schedule = { lr: 0.05, temperature: [5, 0.5] } as const;
    const gates = new Gates(scope, { groups, cost, budget, seed: 0, schedule });
    const specs = adjoinedSpecs(adjoined);
    const normal = new Random(0, "initial weights");
    const learner = new Learner(scope, {
      specs,
      state: initialize(specs, adjoined.base, () => normal.normal()),
      optimizer: { name: "sgd", weightDecay: 0, nesterov: false },
    });
    const step = await TrainingStep.trace(scope, {
      objective: { mode: "search", search, detach: false },
      learner,
      feed: { dataset: train, normalization, batch: 4, image },
      labelSmoothing: 0,
      gates,
    });
    const [batch] = new TrainingBatches({ dataset: train, batch: 4, seed: 0 }).epoch(0);
    const run = () => step.run(batch, { lr: 0.1, momentum: 0.9, lambda: 1 });
    assertThrows(run, TypeError, "call gates.prepare(t) before each run");
    gates.prepare(0);
    run();
    assertThrows(run, TypeError, "found none for this step");
    assert(Number.isFinite((await step.read()).loss));
  }));

Deno.test("the same seed finds the same widths and weights, bit for bit", () =>
  withGpu(async (gpu) => {
    const found = async (
      ...args: string[]
    ): Promise<{ file: string; state: State; standing: (GatesState | undefined)[] }> => {
      const standing: (GatesState | undefined)[] = [];
      const { widths, state } = await findWidths(gpu, await opened(...args), {
        ...SILENT,
        epoch: ({ search }) => void standing.push(search),
      });
      return { file: encodeWidths(widths.file), state, standing };
    };
    const first = await found("--budget-macs", "0.8");
    const second = await found("--budget-macs", "0.8");
    assertEquals(first.file, second.file);
    assertEquals(first.standing, second.standing);
    assertEquals(first.standing.length, 2);
    for (const [name, values] of first.state) assertEquals(second.state.get(name), values, name);
    const other = await found("--budget-macs", "0.8", "--seed", "1");
    assert(other.standing[1]?.entropy !== first.standing[1]?.entropy);
    // Lambda is 0 in the first epoch: only the second moves the logits.
    assert(first.standing[0]?.entropy !== first.standing[1]?.entropy);
    const { widths, found: cost } = JSON.parse(first.file);
    assertEquals(Object.keys(widths).length, 8);
    assert(Math.abs(cost - 0.8) < 0.02, `${cost}`);
  }));

Deno.test("an impossible budget is refused, with what is possible and the cure", async () => {
  for (
    const [flags, cure] of [
      ["--budget-macs 0.01", "raise budgetMacs, add a larger one to divisors or lower maskFrom"],
      [
        "--budget-params 0.01",
        "raise budgetParams, add a larger one to divisors or lower maskFrom",
      ],
      ["--budget-macs 0.9 --divisors 2,4", "lower budgetMacs"],
    ]
  ) {
    const { message } = await assertRejects(() => opened(...flags.split(" ")), UsageError);
    const [, least, most, budget] = message.match(
      /^Cannot meet the budget: .* can have (\d\.\d{4}) to (\d\.\d{4}) .*, found ([\d.]+);/,
    ) ?? [];
    assert(message.endsWith(`; ${cure}`), message);
    assert(Number(budget) < Number(least) || Number(budget) > Number(most), message);
    // What was said to be possible is.
    const possible = String((Number(least) + Number(most)) / 2);
    const name = flags.split(" ")[0];
    await opened(name, possible, ...flags.split(" ").slice(2));
  }
});

Deno.test("narrowState() cuts the small norms, and names what is missing", () => {
  const search = searchable(thin, { divisors: [1, 2] });
  const state = randomState(search, new Random(4, "state"));
  const widths = chosenWidths(thin, search.groups, search.groups.groups.map(() => 1));
  const adjoined = adjoin(thin, { compression: 1, widths });
  const narrowed = narrowState(state, adjoined);
  const norm = "layer2.0.bn1.bias";
  assertEquals(narrowed.get(norm), state.get(norm));
  assertEquals(narrowed.get(`small.${norm}`), state.get(`small.${norm}`)?.slice(0, 4));
  assert(narrowed.get("fc.bias") !== state.get("fc.bias"), "a copy");
  state.delete(norm);
  assertThrows(
    () => narrowState(state, adjoined),
    TypeError,
    `Cannot narrow the state: ${norm} is missing`,
  );
});
