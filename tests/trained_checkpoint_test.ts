// Checkpoints of runs that really train: their networks are those that the run saves.
import { assert, assertEquals } from "@std/assert";
import { readArguments } from "../cli/arguments.ts";
import { trainRequest } from "../cli/options.ts";
import { EXIT } from "../cli/exit.ts";
import { openJob } from "../cli/run/open_run.ts";
import { encodeCheckpoint, parseCheckpoint } from "../export/checkpoint.ts";
import { Gpu } from "../kernels/gpu.ts";
import { MemoryKeeper } from "../train/resume/keeper.ts";
import { parseNetworks } from "../train/resume/state_networks.ts";
import { encodeTrainingState } from "../train/resume/training_state.ts";
import { runJob } from "../train/train.ts";
import { adjoinCommand } from "./command.ts";
import { withFolder } from "./folder.ts";
import { lacks } from "./permissions.ts";
import { observe } from "./recorder.ts";
import { joined } from "../data/safetensors.ts";
import { digested } from "./run_states.ts";
import { SILENT } from "../train/silent.ts";

const SHORT = ["--train-size", "16", "--val-size", "8", "--batch-size", "8", "--epochs", "2"];

for (
  const args of [
    ["--model-ema-decay", "0.9", "--masking-factor", "0.3", "--crop-pct", "0.9"],
    ["--mode", "plain", "--which", "small"],
  ]
) {
  Deno.test(`the last checkpoint of ${args.join(" ")} has what the run saves`, async () => {
    const { options } = trainRequest(readArguments("train", [...SHORT, ...args]));
    const job = await openJob(options);
    const keeper = new MemoryKeeper();
    const gpu = await Gpu.open();
    const { files } = await runJob(gpu, job, SILENT, { course: { keeper } })
      .finally(() => gpu.destroy());
    const state = await keeper.last();
    assert(state);
    const networks = parseNetworks(joined(encodeTrainingState(state)), "last");
    assertEquals(networks.map(({ which }) => `${which}.safetensors`), [...files.keys()]);
    for (const found of networks) {
      const { network, state: values, ...info } = found;
      const saved = files.get(`${info.which}.safetensors`);
      assert(saved);
      assertEquals(digested(found), digested(parseCheckpoint(saved, "saved")));
      const bytes = encodeCheckpoint(network, values, info);
      assert(bytes.length === saved.length && bytes.every((byte, i) => byte === saved[i]));
    }
  });
}

/** Damages a checkpoint, and demands of every command that reads one to say so. */
async function demandRefused(file: string, dir: string): Promise<void> {
  const bytes = await Deno.readFile(file);
  bytes[bytes.length - 3] ^= 4;
  await Deno.writeFile(file, bytes);
  const says = "wanted the bytes that were saved, found others; the file is damaged, take another";
  for (
    const line of [
      `eval ${file}`,
      `predict ${file} ${dir}/run/batch.png`,
      `export ${file} --output ${dir}/a.onnx`,
      `train --init ${file} --output ${dir}/b`,
      `train --mode distill --teacher ${file} --output ${dir}/c`,
    ]
  ) {
    const { code, printed } = await observe(line.split(" "), dir);
    assertEquals([line, code, printed.includes(says) ? says : printed], [line, EXIT.data, says]);
  }
}

Deno.test("a checkpoint that train has written is evaluated and exported", {
  ignore: lacks("read", "write", "run", "env"),
}, () =>
  withFolder(async (dir) => {
    const run = async (...args: string[]): Promise<string> => {
      const { code, out, error } = await adjoinCommand(args);
      assertEquals(code, EXIT.ok, error);
      return out;
    };
    await run("train", ...SHORT, "--output", `${dir}/run`, "--quiet");
    const summary = JSON.parse(await Deno.readTextFile(`${dir}/run/summary.json`));
    const file = `${dir}/run/checkpoints/last.safetensors`;
    const scores = JSON.parse(await run("eval", file, "--json"));
    for (const which of ["base", "small"]) {
      assertEquals([scores[which].top1, scores[which].images], [summary[which].top1, 8]);
      assert(Math.abs(scores[which].loss - summary[which].loss) < 1e-5);
    }
    await run("export", file, "--format", "safetensors");
    const exported = `${dir}/run/checkpoints/last.small.torch.safetensors`;
    assertEquals(
      await Deno.readFile(exported),
      await Deno.readFile(`${dir}/run/small.safetensors`),
    );
    await demandRefused(file, dir);
  }));
