// A page that checks all ops, and convolutions by Winograd's products, and sends what does not hold.
import { nullDevice } from "../../kernels/gpu/null_device.ts";
import { conv2d } from "../../kernels/ops/conv2d.ts";
import { Gpu } from "../../kernels/gpu.ts";
import { ops } from "../../kernels/mod.ts";
import type { Case, Op } from "../../kernels/op.ts";
import { holds } from "../op_suite.ts";
import { traceOnly } from "../traced_case.ts";
import { chooseWinograd, type Shapes, worksOf } from "../winograd_choice.ts";

const gpu = await Gpu.open();
const problems: string[] = [];

async function demand<A>(op: Op<A>, cases: readonly Case<A>[]): Promise<void> {
  await holds(gpu, op, cases).catch((error) => problems.push(String(error)));
}

const compiled = new Set<string>();
const none = nullDevice(gpu.device);
const tracing = await Gpu.open({
  device: Object.assign({}, none, {
    createShaderModule(made: GPUShaderModuleDescriptor): GPUShaderModule {
      compiled.add(made.code);
      return none.createShaderModule(made);
    },
  }),
  preset: gpu.preset,
});

/** Cases with shaders that no case before has, as the compiler is another here, and the last. */
async function telling(op: Op): Promise<Case<object>[]> {
  const found: Case<object>[] = [];
  for (const test of op.cases) {
    const before = compiled.size;
    await traceOnly(tracing, op, test);
    if (compiled.size > before || test === op.cases.at(-1)) found.push(test);
  }
  return found;
}

for (const op of ops) await demand(op, await telling(op));

const shapes: Shapes = [[1, 5, 4, 128], [3, 3, 128, 128]];
const attributes = { stride: 1, padding: 1 };
const chosen = chooseWinograd(gpu, worksOf(shapes, attributes), 1);
if (chosen !== 3) problems.push(`wanted winograd in three directions, found ${chosen}`);
await demand(conv2d, [{ inputs: shapes, attributes }]);

// The shaders of all ops, so that none is left out unseen.
if (compiled.size < 200) problems.push(`wanted 200 shaders or more, found ${compiled.size}`);

void fetch("/found", { method: "POST", body: JSON.stringify(problems) });
