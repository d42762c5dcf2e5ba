import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { fileURLToPath } from "node:url";
import { ValidationBatches } from "../data/batches.ts";
import { encodeSafetensors, parseSafetensors } from "../data/safetensors.ts";
import { Gpu } from "../kernels/gpu.ts";
import { type Checkpoint, encodeCheckpoint } from "../export/checkpoint.ts";
import { KernelSession } from "../train/kernel_session.ts";
import { withFolder } from "./folder.ts";
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
        assertStringIncludes(out, "5 of 5 images in the same class");
      }
      // With the logits of other weights it has to fail.
      const { network, state, ...info } = checkpointOf(NETWORKS["of bottlenecks, cut"]);
      state.set("fc.bias", state.get("fc.bias")!.map((b) => b + 1e-2));
      await Deno.writeFile(file, encodeCheckpoint(network, state, info));
      const { code, out } = await runPython(file, check);
      assertEquals(code, 1);
      assert(/largest logit difference 1\.0e-02, /.test(out), out);
      // Differences are measured by the largest logit: the same weights a million times as large.
      const large = checkpointOf(NETWORKS["of bottlenecks, cut"]);
      for (const part of ["fc.weight", "fc.bias"]) {
        large.state.set(part, large.state.get(part)!.map((w) => w * 2 ** 20));
      }
      await Deno.writeFile(file, encodeCheckpoint(network, large.state, info));
      await Deno.writeFile(check, await checkFile(gpu, large));
      assertEquals((await runPython(file, check)).code, 0);
    } finally {
      gpu.destroy();
      await Deno.remove(dir, { recursive: true });
    }
  },
);

/** Bytes of a file whose floats are half as wide. */
function halved(bytes: Uint8Array): Uint8Array {
  const { tensors, metadata } = parseSafetensors(bytes);
  const names = [...tensors.keys()];
  let end = 0;
  const halves = names.map((name) => Float16Array.from(tensors.get(name)!.data, Number));
  const entries = names.map((name, i) => {
    const data_offsets = [end, end += halves[i].byteLength];
    return [name, { dtype: "F16", shape: tensors.get(name)!.shape, data_offsets }];
  });
  const header = new TextEncoder().encode(
    JSON.stringify({ __metadata__: metadata, ...Object.fromEntries(entries) }),
  );
  const length = new Uint8Array(new BigUint64Array([BigInt(header.length)]).buffer);
  const data = halves.flatMap((half) => [...new Uint8Array(half.buffer)]);
  return new Uint8Array([...length, ...header, ...data]);
}

Deno.test(
  "the module for PyTorch takes weights of 16 bits, and names what it cannot read",
  { ignore: !python },
  () =>
    withFolder(async (dir) => {
      const file = `${dir}/network.safetensors`;
      const { network, state, ...info } = checkpointOf(NETWORKS["of concatenations"]);
      const bytes = encodeCheckpoint(network, state, info);
      await Deno.writeFile(file, halved(bytes));
      assertStringIncludes((await runPython(file)).out, "parameters, 4 classes");
      const pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n";
      for (
        const [content, says] of [
          [new TextEncoder().encode(pointer), "it is a pointer of Git LFS, not the file itself"],
          [new Uint8Array(3), "wanted a safetensors file"],
          [bytes.subarray(0, -9), "it ends before the numbers of 'joined.bn.running_var'"],
        ] as const
      ) {
        await Deno.writeFile(file, content);
        const { code, error } = await runPython(file);
        assertEquals(code, 3);
        assertEquals(error.trim().split("\n").length, 1);
        assertStringIncludes(error, `error: Cannot load ${file}: ${says}`);
      }
    }),
);
