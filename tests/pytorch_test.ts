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

const inTurn = fileURLToPath(new URL("python/each_in_turn.py", import.meta.url));

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly error: string;
}

async function runPython(...args: string[]): Promise<Outcome> {
  const found = await new Deno.Command(python ?? "", { args: [script, ...args] }).output();
  const [out, error] = [found.stdout, found.stderr].map((b) => new TextDecoder().decode(b));
  return { code: found.code, out, error };
}

/** The same several times, in one process. */
async function runInTurn(...lines: string[][]): Promise<Outcome[]> {
  const args = [inTurn, script];
  const process = new Deno.Command(python ?? "", { args, stdin: "piped", stdout: "piped" }).spawn();
  const output = process.output();
  await new Blob([JSON.stringify(lines)]).stream().pipeTo(process.stdin);
  const { success, stdout } = await output;
  assert(success);
  return JSON.parse(new TextDecoder().decode(stdout));
}

Deno.test(
  "the module for PyTorch loads saved networks as they are, and gives their logits",
  { ignore: !python },
  async () => {
    const dir = await Deno.makeTempDir();
    const gpu = await Gpu.open();
    /** Writes a network and what our kernels make of it, or of another. */
    const write = async (
      name: string,
      { network, state, ...info }: Checkpoint,
      checked: Checkpoint = { network, state, ...info },
    ): Promise<string[]> => {
      const [file, check] = [`${dir}/${name}.safetensors`, `${dir}/${name}-check.safetensors`];
      await Deno.writeFile(file, encodeCheckpoint(network, state, info));
      await Deno.writeFile(check, await checkFile(gpu, checked));
      return [file, check];
    };
    /** The bottlenecks with some of their parameters changed. */
    const changed = (parts: readonly string[], change: (value: number) => number): Checkpoint => {
      const checkpoint = checkpointOf(NETWORKS["of bottlenecks, cut"]);
      for (const part of parts) {
        checkpoint.state.set(part, checkpoint.state.get(part)!.map(change));
      }
      return checkpoint;
    };
    try {
      const names = Object.keys(NETWORKS);
      const lines: string[][] = [];
      for (const [i, network] of Object.values(NETWORKS).entries()) {
        lines.push(await write(`${i}`, checkpointOf(network)));
      }
      // With the logits of other weights it has to fail.
      const bottlenecks = checkpointOf(NETWORKS["of bottlenecks, cut"]);
      lines.push(await write("other", changed(["fc.bias"], (b) => b + 1e-2), bottlenecks));
      // Differences are measured by the largest logit: the same weights a million times as large.
      const large = changed(["fc.weight", "fc.bias"], (w) => w * 2 ** 20);
      lines.push(await write("large", large));
      const outcomes = await runInTurn(...lines);
      assertEquals(outcomes.length, names.length + 2);
      for (const [i, name] of names.entries()) {
        const { code, out, error } = outcomes[i];
        assertEquals([code, error], [0, ""], name);
        assertStringIncludes(out, "5 of 5 images in the same class");
      }
      const [other, same] = outcomes.slice(names.length);
      assertEquals(other.code, 1);
      assert(/largest logit difference 1\.0e-02, /.test(other.out), other.out);
      assertEquals(same.code, 0);
      // The module by itself.
      assertEquals(await runPython(...lines[0]), outcomes[0]);
      assertEquals(await runPython(...lines[names.length]), other);
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
      const { network, state, ...info } = checkpointOf(NETWORKS["of concatenations"]);
      const bytes = encodeCheckpoint(network, state, info);
      const pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n";
      const broken = [
        [new TextEncoder().encode(pointer), "it is a pointer of Git LFS, not the file itself"],
        [new Uint8Array(3), "wanted a safetensors file"],
        [bytes.subarray(0, -9), "it ends before the numbers of 'joined.bn.running_var'"],
      ] as const;
      const files = [halved(bytes), ...broken.map(([content]) => content)];
      const path = (i: number): string => `${dir}/${i}.safetensors`;
      for (const [i, content] of files.entries()) await Deno.writeFile(path(i), content);
      const [half, ...refused] = await runInTurn(...files.map((_, i) => [path(i)]));
      assertStringIncludes(half.out, "parameters, 4 classes");
      for (const [i, [, says]] of broken.entries()) {
        const { code, error } = refused[i];
        assertEquals(code, 3);
        assertEquals(error.trim().split("\n").length, 1);
        assertStringIncludes(error, `error: Cannot load ${path(i + 1)}: ${says}`);
      }
      assertEquals(await runPython(path(1)), refused[0]);
    }),
);
