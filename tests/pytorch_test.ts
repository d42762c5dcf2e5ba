import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { fileURLToPath } from "node:url";
import { ValidationBatches } from "../data/batches.ts";
import { encodeSafetensors } from "../data/safetensors.ts";
import { Gpu } from "../kernels/gpu.ts";
import { type Checkpoint, encodeCheckpoint } from "../export/checkpoint.ts";
import { KernelSession } from "../train/kernel_session.ts";
import { lacks } from "./permissions.ts";
import { pythonWithTorch } from "./python.ts";
import { checkpointOf, images, NETWORKS } from "./saved_networks.ts";

const ignore = lacks("read", "write", "run", "env");
const python = ignore ? undefined : await pythonWithTorch();
const script = fileURLToPath(new URL("../examples/pytorch/adjoin_model.py", import.meta.url));
const dataset = images(5);

/** Pixels, and the logits that our kernels give for them. */
async function checkFile(gpu: Gpu, checkpoint: Checkpoint): Promise<Uint8Array> {
  using scope = gpu.scope();
  const { length, height, width, channels, pixels, classes } = dataset;
  const session = await KernelSession.open(scope, { checkpoint, dataset, batch: length });
  const [batch] = new ValidationBatches({ dataset, batch: length });
  return encodeSafetensors([
    ["pixels", { shape: [length, height, width, channels], data: pixels }],
    ["logits", { shape: [length, classes.length], data: await session.logits(batch) }],
  ]);
}

async function runPython(...args: string[]): Promise<{ code: number; out: string; error: string }> {
  const found = await new Deno.Command(python ?? "", { args: [script, ...args] }).output();
  const [out, error] = [found.stdout, found.stderr].map((b) => new TextDecoder().decode(b));
  return { code: found.code, out, error };
}

Deno.test(
  "the module for PyTorch loads saved networks as they are, and gives their logits",
  { ignore: !python },
  async () => {
    const dir = await Deno.makeTempDir();
    const gpu = await Gpu.open();
    const [file, check] = [`${dir}/small.safetensors`, `${dir}/check.safetensors`];
    try {
      for (const [what, network] of Object.entries(NETWORKS)) {
        const checkpoint = checkpointOf(network);
        const { state, network: _, ...info } = checkpoint;
        await Deno.writeFile(file, encodeCheckpoint(network, state, info));
        await Deno.writeFile(check, await checkFile(gpu, checkpoint));
        const { code, out, error } = await runPython(file, check);
        assertEquals([code, error], [0, ""], what);
        assertStringIncludes(out, "over 5 images");
      }
      // With the logits of other weights it has to fail.
      const { network, state, ...info } = checkpointOf(NETWORKS["of bottlenecks, cut"]);
      state.set("fc.bias", state.get("fc.bias")!.map((b) => b + 1e-2));
      await Deno.writeFile(file, encodeCheckpoint(network, state, info));
      const { code, out } = await runPython(file, check);
      assertEquals(code, 1);
      assert(/largest logit difference 1\.0e-02 over 5 images/.test(out), out);
    } finally {
      gpu.destroy();
      await Deno.remove(dir, { recursive: true });
    }
  },
);
