import { DataError } from "../../data/error.ts";
import type { Safetensors } from "../../data/safetensors.ts";
import type { Gpu } from "../../kernels/gpu.ts";
import type { Tensor } from "../../kernels/gpu/tensor.ts";
import { runNetwork } from "../../nn/forward.ts";
import type { TorchTensor } from "../../nn/layout.ts";
import type { Network } from "../../nn/network.ts";
import { fitPretrained, type Foreign } from "../../nn/pretrained.ts";
import { resnet } from "../../nn/families/mod.ts";
import type { State } from "../../nn/parameters.ts";
import { networkSpecs } from "../../nn/state.ts";
import { applying, Weights } from "../../train/learner.ts";
import { Float64Run } from "../float64_run.ts";
import { type Finding, resnetOptions } from "./network.ts";
import { reference, relativeError } from "./reference.ts";

const PREFIX = "init.";

/** The tensors under `init.`, by torchvision's names. */
function weightsIn({ tensors }: Safetensors): Map<string, TorchTensor> {
  return new Map(
    [...tensors].filter(([name]) => name.startsWith(PREFIX)).map(([name, { shape, data }]) =>
      [name.slice(PREFIX.length), { shape, data: Float32Array.from(data, Number) }] as const
    ),
  );
}

/** Checks the logits of an evaluation with weights by torchvision's names, all of which must fit. */
export function checkPretrained(gpu: Gpu, file: Safetensors): Promise<Finding[]> {
  const network = resnet({ ...resnetOptions(file), variant: "torchvision" });
  return checkLogits(gpu, file, { network });
}

/** A network, and how another library has it. */
interface Networks {
  readonly network: Network;
  readonly foreign?: Foreign;
}

/** The state that a network has with the weights of a file, all of which must fit. */
function stateOf(file: Safetensors, { network, foreign }: Networks): State {
  const { state, unused, fresh } = fitPretrained(network, weightsIn(file), foreign);
  const wrong = [...unused.map(({ name }) => name), ...fresh];
  if (!wrong.length) return state;
  throw new DataError(`Cannot check the file: ${wrong.join(", ")} of file or network do not fit`);
}

/** How far logits are from those of a file. */
function findingsOf(file: Safetensors, found: ArrayLike<number>): Finding[] {
  const { values } = reference(file, "logits");
  const differences = Array.from(values, (value, i) => Math.abs(value - found[i]));
  return [
    { what: "logits", error: relativeError(found, values), allowed: 1e-4 },
    { what: "largest difference", error: Math.max(...differences), allowed: 1e-4 },
  ];
}

/** Checks the logits that a network gives with the weights of a file, all of which must fit. */
export async function checkLogits(
  gpu: Gpu,
  file: Safetensors,
  networks: Networks,
): Promise<Finding[]> {
  const { network } = networks;
  using scope = gpu.scope();
  const weights = new Weights(scope, networkSpecs(network), stateOf(file, networks));
  const x = reference(file, "x");
  const image = scope.tensor("x", x.shape, x.values);
  const kept: Tensor[] = [];
  const evaluation = await scope.trace("evaluation", (trace) => {
    const running = { apply: applying(trace), parameter: weights.tensor, training: false };
    kept.push(trace.keep(runNetwork(network, image, running)));
  });
  evaluation.replay();
  const [found] = await gpu.read(kept);
  return findingsOf(file, found);
}

/** The same in float64, for networks that no GPU has room for. */
export function checkExactLogits(file: Safetensors, networks: Networks): Finding[] {
  const { network } = networks;
  const { parameters, statistics } = networkSpecs(network);
  const run = new Float64Run([...parameters, ...statistics], stateOf(file, networks));
  const { shape, values } = reference(file, "x");
  const image = run.tensor("x", { shape, data: Float64Array.from(values) });
  const { apply, parameter } = run;
  return findingsOf(
    file,
    run.read(runNetwork(network, image, { apply, parameter, training: false })),
  );
}
