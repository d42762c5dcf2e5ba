import type { NetworkBuilder } from "../../nn/builder.ts";
import type { Value } from "../../nn/network.ts";
import type { Operator, Operators } from "./operator.ts";
import { made, type Reading } from "./reading.ts";
import type { Step } from "./step.ts";

/** An operator that does the same to every number. */
function each(
  layer: (n: NetworkBuilder, x: Value, step: Step) => Value,
): Operator {
  return (step, reading) => {
    const x = reading.tensor(step, 0);
    return made(x, layer(reading.n, x.value, step));
  };
}

/** What changes nothing. */
const same: Operator = (step, reading) => reading.any(step, 0);

function clip(step: Step, reading: Reading) {
  const low = reading.number(step, 1) ?? -Infinity;
  const high = reading.number(step, 2) ?? Infinity;
  const x = reading.tensor(step, 0);
  if (low === 0 && high === 6) return made(x, reading.n.relu6(x.value));
  // What exporters write for no bound.
  if (low === 0 && high > 3e38) return made(x, reading.n.relu(x.value));
  return step.refuse(`wanted bounds of 0 and 6, found ${low} and ${high}`);
}

const hardSigmoid: Operator = each((n, x, step) => {
  const [alpha, beta] = [step.float("alpha", 0.2), step.float("beta", 0.5)];
  if (Math.abs(alpha - 1 / 6) < 1e-4 && Math.abs(beta - 0.5) < 1e-4) return n.hardSigmoid(x);
  return step.refuse(`wanted 1/6 as its alpha and 1/2 as its beta, found ${alpha} and ${beta}`);
});

const gelu: Operator = each((n, x, step) => {
  const approximate = step.word("approximate", "none");
  return approximate === "none"
    ? n.gelu(x)
    : step.refuse("wanted none as its approximate, found tanh");
});

function dropout(step: Step, reading: Reading) {
  step.ignore("seed");
  const rate = (reading.graph.opset < 12 ? step.float("ratio", 0.5) : reading.number(step, 1)) ??
    0.5;
  const found = reading.any(step, 0);
  if (found.kind === "constant" || rate === 0) return found;
  const x = reading.tensor(step, 0);
  return made(x, reading.n.dropout(x.value, { rate: Number(rate.toPrecision(7)) }));
}

function cast(step: Step, reading: Reading) {
  step.ignore("saturate");
  const found = reading.any(step, 0);
  const to = step.int("to", 1);
  if (found.kind === "constant" || to === 1) return found;
  return step.refuse("wanted float32 all the way, found a Cast to another type");
}

/** Operators on each number by itself, and those that change nothing. */
export const ACTIVATIONS: Operators = {
  Relu: each((n, x) => n.relu(x)),
  Clip: clip,
  LeakyRelu: each((n, x, step) => n.leakyRelu(x, { slope: step.float("alpha", 0.01) })),
  Sigmoid: each((n, x) => n.sigmoid(x)),
  HardSigmoid: hardSigmoid,
  hardSigmoid: each((n, x) => n.hardSigmoid(x)),
  HardSwish: each((n, x) => n.hardSwish(x)),
  hardSwish: each((n, x) => n.hardSwish(x)),
  silu: each((n, x) => n.silu(x)),
  Gelu: gelu,
  gelu: each((n, x) => n.gelu(x)),
  Dropout: dropout,
  Identity: same,
  Cast: cast,
};
