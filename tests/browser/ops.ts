// A page that checks all ops and sends what does not hold.
import { Gpu } from "../../kernels/gpu.ts";
import { ops } from "../../kernels/mod.ts";
import { holds } from "../op_suite.ts";

const gpu = await Gpu.open();
const problems: string[] = [];
for (const op of ops) {
  await holds(gpu, op, op.cases).catch((error) => problems.push(String(error)));
}
void fetch("/found", { method: "POST", body: JSON.stringify(problems) });
