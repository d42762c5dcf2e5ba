import { Random } from "../../data/random.ts";
import type { Safetensors } from "../../data/safetensors.ts";
import type { Gpu } from "../../kernels/gpu.ts";
import type { Tensor } from "../../kernels/gpu/tensor.ts";
import { adjoin, type Adjoined } from "../../nn/compress/adjoin.ts";
import { runAdjoined } from "../../nn/compress/run_adjoined.ts";
import type { State } from "../../nn/parameters.ts";
import { resnet, type ResNetOptions } from "../../nn/families/mod.ts";
import { adjoinedSpecs } from "../../nn/compress/adjoined_state.ts";
import { Tape } from "../../nn/tape.ts";
import { applying, Learner } from "../../train/learner.ts";
import { lossOf, type Objective } from "../../train/objective.ts";
import { furthest, type Reference, reference, relativeError } from "./reference.ts";

/** The largest relative error of each kind of number, and what is allowed. */
export interface Finding {
  readonly what: string;
  readonly error: number;
  readonly allowed: number;
  /** How far rounding the initial values alone moves it, where that was looked for. */
  readonly moved?: number;
}

/** Where a number of training steps leads to. */
interface Course {
  /** Loss, cross entropy and KL of each step. */
  readonly losses: readonly ArrayLike<number>[];
  readonly parameters: State;
  /** Logits of base and small in evaluation. */
  readonly evaluation: readonly ArrayLike<number>[];
}

function list(file: Safetensors, key: string): number[] {
  return JSON.parse(file.metadata[key]);
}

/** The ResNet that a file's metadata describes. */
export function resnetOptions(file: Safetensors): ResNetOptions {
  return {
    block: Number(file.metadata.expansion) === 1 ? "basic" : "bottleneck",
    depths: list(file, "blocks"),
    widths: list(file, "widths"),
    stem: list(file, "stem"),
    reduce: true,
    classes: reference(file, "init.fc.bias").shape[0],
    channels: reference(file, "x").shape[3],
  };
}

const STATISTICS: Readonly<Record<string, string>> = { mean: "running_mean", var: "running_var" };

/** Our name of a tensor that the files call `name`, such as `layer2.0.conv1.bn.small.mean`. */
export function ourName(name: string, stem: number): string {
  const match = name.match(/^(.*?)(?:\.bn\.(base|small))?\.([a-z]+)$/);
  if (!match) return name;
  const [, layer, norm, part] = match;
  const inStem = layer.match(/^stem\.(\d+)$/);
  const index = Number(inStem?.[1]);
  if (!norm) {
    const convolution = inStem
      ? stem === 1 ? "conv1" : `conv1.${3 * index}`
      : layer.replace(/shortcut$/, "downsample.1");
    return `${convolution}.${part}`;
  }
  const ours = inStem
    ? index === stem - 1 ? "bn1" : `conv1.${3 * index + 1}`
    : layer.replace(/shortcut$/, "downsample.2").replace(/\.conv(\d)$/, ".bn$1");
  return `${norm === "small" ? "small." : ""}${ours}.${STATISTICS[part] ?? part}`;
}

/** The tensors of a file under `prefix`, by our names. */
export function references(file: Safetensors, prefix: string): Map<string, Reference> {
  const stem = list(file, "stem").length;
  return new Map(
    [...file.tensors.keys()].filter((name) => name.startsWith(prefix)).map((name) => [
      ourName(name.slice(prefix.length), stem),
      reference(file, name),
    ]),
  );
}

/** The values of references, as a state. */
export function stateOf(references: ReadonlyMap<string, Reference>): State {
  return new Map([...references].map(([name, { values }]) => [name, Float32Array.from(values)]));
}

/** The largest relative error of any of the wanted tensors. */
export function worst(found: State, wanted: State): number {
  return furthest([...wanted].map(([name, values]) => [found.get(name) ?? [], values]));
}

/** How far one course is from another, and what is allowed. */
function apart(found: Course, wanted: Course): Finding[] {
  const zip = (a: readonly ArrayLike<number>[], b: readonly ArrayLike<number>[]) =>
    a.map((one, i) => [one, b[i]] as const);
  return [
    { what: "losses", error: furthest(zip(found.losses, wanted.losses)), allowed: 1e-3 },
    { what: "final", error: worst(found.parameters, wanted.parameters), allowed: 1e-2 },
    {
      what: "evaluation",
      error: furthest(zip(found.evaluation, wanted.evaluation)),
      allowed: 1e-2,
    },
  ];
}

/** Whether nothing is further off than allowed. */
export function hold(findings: readonly Finding[]): boolean {
  return findings.every(({ error, allowed }) => error <= allowed);
}

/** Takes the steps of an `adjoined_*` file from a state on; checks the first, gives where they lead to. */
async function take(
  gpu: Gpu,
  file: Safetensors,
  state: State,
): Promise<{ first: Finding[]; course: Course }> {
  const { metadata } = file;
  const adjoined: Adjoined = adjoin(resnet(resnetOptions(file)), {
    compression: Number(metadata.compression),
    trunk: metadata.trunk === "separate" ? "separate" : "shared",
    maskFrom: Number(metadata.masked_from_stage),
  });
  const objective: Objective = { mode: "adjoined", adjoined, detach: false };
  using scope = gpu.scope();
  const x = reference(file, "x");
  const image = scope.tensor("x", x.shape, x.values);
  const { shape, values } = reference(file, "labels");
  const labels = scope.tensor("labels", shape, values, "u32");
  const lambda = scope.tensor("lambda", [1], [Number(metadata.lambda)]);
  const one = scope.tensor("one", [1], [1]);
  const learner = new Learner(scope, {
    specs: adjoinedSpecs(adjoined),
    state,
    optimizer: { name: "sgd", weightDecay: Number(metadata.weight_decay), nesterov: false },
  });
  // (loss, cross entropy, KL, 1), then the logits of base and small.
  const kept: Tensor[] = [];
  const evaluated: Tensor[] = [];
  const norms = { eps: Number(metadata.bn_eps), momentum: Number(metadata.bn_momentum) };
  const common = { parameter: learner.tensor, ...norms };
  const step = await scope.trace("step", (trace) => {
    const tape = new Tape(trace, learner.gradient);
    const { apply } = tape;
    const logits = runAdjoined(adjoined, image, { apply, training: true, ...common });
    const [loss, parts] = lossOf(objective, { apply, logits, labels, lambda, labelSmoothing: 0 });
    tape.backward(loss, one);
    learner.update(trace);
    kept.push(...[parts, logits.base, logits.small].map((tensor) => trace.keep(tensor)));
  });
  const evaluation = await scope.trace("evaluation", (trace) => {
    const running = { apply: applying(trace), training: false, ...common };
    const logits = runAdjoined(adjoined, image, running);
    evaluated.push(trace.keep(logits.base), trace.keep(logits.small));
  });
  const losses: number[][] = [];
  const first: Finding[] = [];
  const of = (name: string): ArrayLike<number> => reference(file, name).values;
  for (let k = 0; k < Number(metadata.steps); k++) {
    learner.prepare({ lr: Number(metadata.lr), momentum: Number(metadata.momentum) });
    step.replay();
    const { gradients, statistics } = learner;
    const more = k === 0 ? [gradients.flat, statistics.flat] : [];
    const read = await gpu.read([...kept, ...more]);
    losses.push(...Array.from(read[0]).slice(0, 3).map((value) => [value]));
    if (k > 0) continue;
    const gradient = gradients.split(Float32Array.from(read[3]));
    const after = statistics.split(Float32Array.from(read[4]));
    const logits = ["base_logits", "small_logits"].map((name, i) =>
      relativeError(read[1 + i], of(name))
    );
    const loss = ["loss", "cross_entropy", "kl"].map((name, i) =>
      relativeError([read[0][i]], of(name))
    );
    first.push(
      { what: "logits", error: Math.max(...logits), allowed: 1e-4 },
      { what: "loss", error: Math.max(...loss), allowed: 1e-4 },
      {
        what: "gradients",
        error: worst(gradient, stateOf(references(file, "grad."))),
        allowed: 1e-3,
      },
      {
        what: "statistics",
        error: worst(after, stateOf(references(file, "step1."))),
        allowed: 1e-3,
      },
    );
  }
  evaluation.replay();
  const logits = await gpu.read(evaluated);
  return { first, course: { losses, parameters: await learner.read(), evaluation: logits } };
}

/** Where PyTorch's steps lead to. */
function wantedCourse(file: Safetensors): Course {
  const of = (name: string): ArrayLike<number> => reference(file, name).values;
  return {
    losses: Array.from(of("losses"), (value) => [value]),
    parameters: stateOf(references(file, "final.")),
    evaluation: [of("eval_base_logits"), of("eval_small_logits")],
  };
}

/** Neighbouring roundings of the initial values that are tried at most. */
const ROUNDINGS = 4;

/** The most that is allowed of a chaotic course: twice as far, the numbers have little in common. */
const FURTHEST = 0.5;

/** Each value as it is, or the next float32 above or below, by a seed. */
function rounded(state: State, seed: number): State {
  const random = new Random(seed, "rounding");
  return new Map([...state].map(([name, values]) => {
    const next = Float32Array.from(values, (v) => v * (1 + (random.integer(3) - 1) * 2 ** -23));
    return [name, next];
  }));
}

/**
 * Checks an `adjoined_*` file: first step, ten losses, final parameters, evaluation. A course that
 * leaves PyTorch's after a first step that holds may be chaotic: an activation so near to 0 that
 * rounding decides its side. Then it may be twice as far off as rounding the initial values otherwise
 * takes it, but not further than {@link FURTHEST}.
 */
export async function checkAdjoined(gpu: Gpu, file: Safetensors): Promise<Finding[]> {
  const state = stateOf(references(file, "init."));
  const { first, course } = await take(gpu, file, state);
  const later = apart(course, wantedCourse(file));
  if (!hold(first) || hold(later)) return [...first, ...later];
  let found = later;
  // What holds holds whatever others would allow.
  for (let seed = 0; seed < ROUNDINGS && !hold(found); seed++) {
    const other = apart((await take(gpu, file, rounded(state, seed))).course, course);
    found = found.map((finding, i): Finding => {
      const moved = Math.max(finding.moved ?? 0, other[i].error);
      const allowed = Math.max(later[i].allowed, Math.min(2 * moved, FURTHEST));
      return { ...finding, allowed, moved };
    });
  }
  return [...first, ...found];
}
