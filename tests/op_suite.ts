import type { Gpu } from "../kernels/gpu.ts";
import { elementwise, spread } from "../kernels/wgsl/elementwise.ts";
import { pullBack, written } from "../kernels/gradient.ts";
import type { Case, Input, Op, Values } from "../kernels/op.ts";
import { elements, pad, type Tensor, unpad } from "../kernels/gpu/tensor.ts";
import type { Trace } from "../kernels/program/trace.ts";

/** A seeded normal distribution: mulberry32 and Box-Muller. */
export function normals(seed: number): () => number {
  let state = seed >>> 0;
  const uniform = (): number => {
    state = (state + 0x6D2B79F5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}

export function describeInput(input: Input | readonly number[]): Input {
  return "shape" in input ? input : { shape: input };
}

/** What a test needs to know of a case: inputs drawn, and which of them have gradients. */
export interface Sample {
  readonly inputs: readonly Input[];
  readonly values: readonly Values[];
  readonly differentiable: readonly boolean[];
}

export function draw<A>(test: Case<A>, seed: number): Sample {
  const normal = normals(seed);
  const inputs = test.inputs.map(describeInput);
  return {
    inputs,
    values: inputs.map(({ shape, sample }) => ({
      shape,
      data: Float64Array.from(
        { length: elements(shape) },
        (_, i) => Math.fround(sample ? sample(normal, i) : normal()),
      ),
    })),
    differentiable: inputs.map(({ type, differentiable }) => differentiable ?? type !== "u32"),
  };
}

export function relativeL2(found: ArrayLike<number>, wanted: ArrayLike<number>): number {
  let difference = 0;
  let norm = 0;
  for (let i = 0; i < wanted.length; i++) {
    difference += (found[i] - wanted[i]) ** 2;
    norm += wanted[i] ** 2;
  }
  if (found.length !== wanted.length || Number.isNaN(difference)) return Infinity;
  return norm === 0 ? Math.sqrt(difference) : Math.sqrt(difference / norm);
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

function norm(a: ArrayLike<number>): number {
  return Math.sqrt(dot(a, a));
}

/** What the kernels give for a sample: outputs, and the gradient of each input. */
export interface Computed {
  readonly outputs: readonly ArrayLike<number>[];
  readonly gradients: readonly (ArrayLike<number> | null)[];
  /** Whether all floats are padded with zeros, as every kernel may rely on. */
  readonly padded: boolean;
}

/** Records the gradient of each input into tensors of their own. */
function gradientTensors<A>(
  trace: Trace,
  op: Op<A>,
  context: { inputs: Tensor[]; outputs: readonly Tensor[]; attributes: A; wanted: boolean[] },
  dy: Tensor,
): (Tensor | null)[] {
  if (op.vjp === "none") return context.inputs.map(() => null);
  return pullBack(trace, op, context, dy).map((gradient, i) =>
    gradient && context.wanted[i]
      ? written(trace, gradient, { name: `gradient ${i}`, shape: context.inputs[i].shape })
      : null
  );
}

const passOn = elementwise({
  name: "pass on",
  reads: { x: "bulk" },
  dims: {},
  value: (at) => `x(${at})`,
});

/** A copy of a result that a kernel loads, so that the result may lie in a texture. */
function passedOn(trace: Trace, x: Tensor): Tensor {
  const y = trace.tensor("passed on", x.shape);
  trace.run(passOn, { reads: { x }, writes: { y }, ...spread(y) });
  return y;
}

/**
 * Lets memory that is taken from now on begin with numbers other than zero, until the result is
 * called: fresh memory holds zeros, but in a larger program it holds what lay there before.
 */
function spoilMemory(gpu: Gpu): () => void {
  const { takeBuffer, takeTexture } = gpu;
  const { queue } = gpu.device;
  const junk = (bytes: number) => new Float32Array(bytes / 4).fill(12345);
  gpu.takeBuffer = (...of) => {
    const buffer = takeBuffer.apply(gpu, of);
    queue.writeBuffer(buffer, 0, junk(buffer.size));
    return buffer;
  };
  gpu.takeTexture = (...of) => {
    const texture = takeTexture.apply(gpu, of);
    const { width, height } = texture;
    queue.writeTexture({ texture }, junk(width * height * 16), { bytesPerRow: width * 16 }, {
      width,
      height,
    });
    return texture;
  };
  return () => Object.assign(gpu, { takeBuffer, takeTexture });
}

/**
 * How values enter and leave a program: results copied, or loaded by another kernel first, or images
 * `[batch, height, width, channels]` kept in half floats on both sides of the op.
 */
export type Leaving = "copied" | "loaded" | "narrowed";

/** Whether a value is kept in half floats where images are narrowed. */
function narrows({ shape, type = "f32" }: Pick<Tensor, "shape"> & { type?: string }): boolean {
  return shape.length === 4 && type === "f32";
}

export async function compute<A>(
  gpu: Gpu,
  op: Op<A>,
  test: Case<A>,
  sample: Sample,
  dy: ArrayLike<number>,
  leaving: Leaving = "copied",
): Promise<Computed> {
  using scope = gpu.scope();
  const inputs = sample.inputs.map(({ shape, type }, i) =>
    scope.tensor(`input ${i}`, shape, sample.values[i].data, type)
  );
  let outputs: Tensor[] = [];
  let gradients: (Tensor | null)[] = [];
  let restore = (): void => {};
  const precision = leaving === "narrowed" ? "mixed" : "float32";
  const program = await scope.trace(op.name, (trace) => {
    const into = (x: Tensor): Tensor =>
      precision === "mixed" && narrows(x) ? trace.value(passedOn(trace, x)) : x;
    const fed = inputs.map(into);
    const made = op.forward(trace, fed, test.attributes);
    const wanted = [...sample.differentiable];
    const context = { inputs: fed, outputs: made, attributes: test.attributes, wanted };
    const upstream = scope.tensor("dy", made[0].shape, op.vjp === "none" ? undefined : dy);
    const found = gradientTensors(trace, op, context, into(upstream));
    const out = (y: Tensor): Tensor => {
      if (y.storage) return y;
      const loaded = leaving !== "copied" && y.type === "f32";
      return trace.keep(loaded ? passedOn(trace, trace.value(y)) : y);
    };
    outputs = made.map(out);
    gradients = found.map((g) => g && out(g));
    restore = spoilMemory(gpu);
  }, { precision });
  restore();
  program.replay();
  const kept = [...outputs, ...gradients.filter((g) => g !== null)];
  const words = await gpu.read(kept.map((t) => scope.view(`${t.name} words`, t, 0, [t.words])));
  const values = kept.map(({ shape }, i) => unpad(words[i], shape));
  const found = values.slice(outputs.length);
  return {
    outputs: values.slice(0, outputs.length),
    gradients: gradients.map((g) => g ? found.shift() ?? null : null),
    padded: kept.every(({ shape, type }, i) => {
      if (type === "u32") return true;
      const wanted = pad(values[i], shape, type);
      return words[i].every((word, k) => Object.is(word, wanted[k]) || word === wanted[k]);
    }),
  };
}

/** The largest relative L2 distance of an output from its float64 reference. */
function parity(wanted: readonly Values[], { outputs }: Computed): number {
  return Math.max(...wanted.map(({ data }, i) => relativeL2(outputs[i], data)));
}

/** A direction along which an input is moved, and how the first output moves with it: J v. */
interface Slope {
  readonly v: ArrayLike<number>;
  readonly jv: Float64Array;
}

/** J v of the first output along one input, by central differences through the reference. */
function alongInput<A>(
  op: Op<A>,
  test: Case<A>,
  sample: Sample,
  { input, v }: { input: number; v: ArrayLike<number> },
): Slope {
  const h = 1e-5;
  const shifted = (sign: number): Float64Array => {
    const values = sample.values.map((value, j) =>
      j === input ? { ...value, data: value.data.map((x, k) => x + sign * h * v[k]) } : value
    );
    return op.reference(values, test.attributes)[0].data;
  };
  const minus = shifted(-1);
  return { v, jv: shifted(1).map((y, k) => (y - minus[k]) / (2 * h)) };
}

/** What a case is held to, whatever computes it: to be made once where several do. */
export interface Expectation {
  readonly sample: Sample;
  /** The outputs of the float64 reference. */
  readonly wanted: readonly Values[];
  /** The gradient of the first output. */
  readonly u: readonly number[];
  /** A random slope of each input that has a gradient. */
  readonly slopes: readonly (Slope | undefined)[];
}

/** Draws a case and computes its references in float64. */
export function expectation<A>(
  op: Op<A>,
  test: Case<A>,
  { seed, leaving }: { readonly seed: number; readonly leaving?: Leaving },
): Expectation {
  const drawn = draw(test, seed);
  const sample = leaving === "narrowed" ? rounded(drawn) : drawn;
  const wanted = op.reference(sample.values, test.attributes);
  const [cotangent, direction] = [normals(seed + 1), normals(seed + 2)];
  return {
    sample,
    wanted,
    u: Array.from(wanted[0].data, () => Math.fround(cotangent())),
    slopes: sample.values.map(({ data }, input) => {
      if (op.vjp === "none" || !sample.differentiable[input]) return undefined;
      return alongInput(op, test, sample, { input, v: data.map(() => direction()) });
    }),
  };
}

/**
 * The largest distance of `<g, v>` from `<u, J v>` over the inputs, g = vjp(u): for a random v,
 * relative to `|u| |J v|`, and for v = g, relative to `<u, J g>`. In many dimensions a random v is
 * nearly at right angles to g and hardly feels a wrong factor; v = g does.
 */
export function gradientError<A>(
  op: Op<A>,
  test: Case<A>,
  { sample, u, slopes }: Expectation,
  gradients: Computed["gradients"],
): number {
  let worst = 0;
  slopes.forEach((slope, input) => {
    if (!slope) return;
    const gradient = gradients[input];
    if (gradient?.length !== slope.v.length) {
      worst = Infinity;
      return;
    }
    const own = alongInput(op, test, sample, { input, v: Float64Array.from(gradient) });
    for (const { v, jv } of [slope, own]) {
      const wanted = dot(u, jv);
      const scale = v === own.v ? Math.abs(wanted) : norm(u) * norm(jv);
      const error = Math.abs(dot(gradient, v) - wanted);
      const relative = scale > 0 ? error / scale : norm(gradient);
      worst = Number.isNaN(relative) ? Infinity : Math.max(worst, relative);
    }
  });
  return worst;
}

/** A sample whose images are numbers that half floats can be. */
function rounded(sample: Sample): Sample {
  return {
    ...sample,
    values: sample.values.map((value, i) =>
      narrows(sample.inputs[i]) ? { ...value, data: value.data.map(Math.f16round) } : value
    ),
  };
}

/** Parity and gradient error of one case. */
export async function check<A>(
  gpu: Gpu,
  op: Op<A>,
  test: Case<A>,
  { seed, leaving, expected = expectation(op, test, { seed, leaving }) }: {
    seed: number;
    leaving?: Leaving;
    expected?: Expectation;
  },
): Promise<{ parity: number; gradient: number; padded: boolean }> {
  const { sample, wanted, u } = expected;
  const computed = await compute(gpu, op, test, sample, u, leaving);
  return {
    parity: parity(wanted, computed),
    padded: computed.padded,
    gradient: gradientError(op, test, expected, computed.gradients),
  };
}

/** Cases of an op that are tried with half floats: the others differ in loops, not in loads. */
const NARROWED_CASES = 4;

/** Half floats end there, and are no longer exact to 2^-11 below. */
const RANGE = [2 ** -14, 65504] as const;

/** Some of the cases with images whose numbers half floats can be, evenly spread, by place. */
function narrowedCases<A>(cases: readonly Case<A>[]): ReadonlySet<number> {
  const fit = [...cases.keys()].filter((i) => {
    const { inputs, values } = draw(cases[i], 1000 + i);
    const images = values.filter((_, k) => narrows(inputs[k]));
    return images.length > 0 &&
      images.every(({ data }) =>
        data.every((x) => x === 0 || (Math.abs(x) <= RANGE[1] && Math.abs(x) >= RANGE[0]))
      );
  });
  const step = Math.max(1, Math.ceil(fit.length / NARROWED_CASES));
  return new Set(fit.filter((_, k) => k % step === 0));
}

function demand(holds: boolean, problem: string): void {
  if (!holds) throw new Error(problem);
}

const PARITY = 1e-5;
const GRADIENT = 1e-4;

/** What {@link holds} holds cases to: to be made once where several adapters are held to it. */
export function expectations<A>(op: Op<A>, cases: readonly Case<A>[]): Expectation[] {
  return cases.map((test, i) => expectation(op, test, { seed: 1000 + i }));
}

/**
 * With images in half floats: a stored value is off by up to 2^-11 of itself, 2.8e-4 in the mean; a
 * gradient goes through up to four of them, dy, x, y and itself, and differences of them.
 */
const NARROWED = 3e-3;

/** Throws unless outputs and gradients of all cases equal those of the float64 reference. */
export async function holds<A>(
  gpu: Gpu,
  op: Op<A>,
  cases: readonly Case<A>[],
  {
    leaving,
    expected = leaving === "narrowed" ? [] : expectations(op, cases),
    every = leaving !== "narrowed",
  }: {
    leaving?: Leaving;
    expected?: readonly Expectation[];
    /** Whether all cases are tried, and not some that differ in loads. */
    every?: boolean;
  } = {},
): Promise<void> {
  const [most, mostGradient] = leaving === "narrowed" ? [NARROWED, NARROWED] : [PARITY, GRADIENT];
  const taken = every ? new Set(cases.keys()) : narrowedCases(cases);
  for (const [i, test] of cases.entries()) {
    if (!taken.has(i)) continue;
    const { parity, gradient, padded } = await check(gpu, op, test, {
      ...{ seed: 1000 + i, leaving, expected: expected[i] },
    });
    const label = `${op.name}, case ${i}, ${JSON.stringify(test.attributes)}`;
    demand(parity <= most, `${label}: outputs are ${parity} off`);
    demand(padded, `${label}: the padding is not zero`);
    demand(gradient <= mostGradient, `${label}: gradients are ${gradient} off`);
  }
}
