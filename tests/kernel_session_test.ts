import { assert, assertEquals } from "@std/assert";
import { ValidationBatches } from "../data/batches.ts";
import { Gpu } from "../kernels/gpu.ts";
import { KernelSession } from "../train/kernel_session.ts";
import type { Score } from "../train/types.ts";
import { checkpointOf, images, NETWORKS } from "./saved_networks.ts";

Deno.test("images that only fill up the last batch are not counted", async () => {
  const checkpoint = checkpointOf(NETWORKS["of pools with gaps"]);
  const dataset = images(5);
  const gpu = await Gpu.open();
  try {
    const scoreBy = async (batch: number): Promise<Score> => {
      using scope = gpu.scope();
      const session = await KernelSession.open(scope, { checkpoint, dataset, batch });
      return await session.score(new ValidationBatches({ dataset, batch }));
    };
    const whole = await scoreBy(5);
    for (const batch of [2, 3, 8]) {
      const { top1, top5, loss } = await scoreBy(batch);
      assertEquals([top1, top5], [whole.top1, whole.top5], `batches of ${batch}`);
      assert(Math.abs(loss - whole.loss) < 1e-5, `${loss} in batches of ${batch}, ${whole.loss}`);
    }
  } finally {
    gpu.destroy();
  }
});
