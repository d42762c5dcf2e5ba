// A page that checks all ops, and convolutions by Winograd's products, and sends what does not hold.
import { conv2d } from "../../kernels/ops/conv2d.ts";
import { Gpu } from "../../kernels/gpu.ts";
import { ops } from "../../kernels/mod.ts";
import type { Case, Op } from "../../kernels/op.ts";
import { holds } from "../op_suite.ts";
import { chooseWinograd, type Shapes, worksOf } from "../winograd_choice.ts";

const gpu = await Gpu.open();
const problems: string[] = [];

async function demand<A>(op: Op<A>, cases: readonly Case<A>[]): Promise<void> {
  await holds(gpu, op, cases).catch((error) => problems.push(String(error)));
}

for (const op of ops) await demand(op, op.cases);

const shapes: Shapes = [[1, 5, 4, 128], [3, 3, 128, 128]];
const attributes = { stride: 1, padding: 1 };
const chosen = chooseWinograd(gpu, worksOf(shapes, attributes), 1);
if (chosen !== 3) problems.push(`wanted winograd in three directions, found ${chosen}`);
await demand(conv2d, [{ inputs: shapes, attributes }]);

void fetch("/found", { method: "POST", body: JSON.stringify(problems) });
