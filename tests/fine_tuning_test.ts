// A fine-tuning: small networks learn alone, and the base network stays as it is to the bit.
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { readArguments } from "../cli/arguments.ts";
import { trainRequest } from "../cli/options.ts";
import { runResult } from "../cli/report/result.ts";
import { generatedSplit } from "../data/generated.ts";
import { Gpu } from "../kernels/gpu.ts";
import { jobOn } from "../train/job.ts";
import { type KeptAs, MemoryKeeper } from "../train/resume/keeper.ts";
import { networksInFile } from "../train/resume/state_networks.ts";
import {
  encodeTrainingState,
  parseTrainingState,
  type TrainingState,
} from "../train/resume/training_state.ts";
import { runJob, type TrainResult } from "../train/train.ts";
import type { EpochMetrics, Reporter } from "../train/types.ts";

/** Keeps all states of a run as the bytes of their files. */
class AllKept extends MemoryKeeper {
  readonly files: Uint8Array[] = [];

  override save(state: TrainingState, as?: KeptAs): Promise<void> {
    this.files.push(new Uint8Array(encodeTrainingState(state).flatMap((piece) => [...piece])));
    return super.save(state, as);
  }
}

interface Told {
  readonly result: TrainResult;
  readonly states: readonly Uint8Array[];
  readonly epochs: readonly EpochMetrics[];
}

const ARGS =
  "--model resnet8 --epochs 2 --batch-size 8 --val-size 8 --compression 2,4 --mask-from 1";

async function trained(gpu: Gpu, more: string, from?: TrainingState): Promise<Told> {
  const { options } = trainRequest(readArguments("train", `${ARGS} ${more}`.trim().split(" ")));
  const split = generatedSplit({ train: 16, validation: 8, size: 12, seed: 0 });
  const keeper = new AllKept();
  const epochs: EpochMetrics[] = [];
  const reporter: Reporter = {
    ...{ start: () => {}, progress: () => {}, work: () => {}, note: () => {} },
    epoch: (metrics) => void epochs.push(metrics),
  };
  const result = await runJob(gpu, jobOn({ split }, options), reporter, {
    course: { keeper, from },
  });
  return { result, states: keeper.files, epochs };
}

/** The names of files that differ. */
function different(one: TrainResult, other: TrainResult): string[] {
  assertEquals([...one.files.keys()].sort(), [...other.files.keys()].sort());
  return [...one.files].flatMap(([name, bytes]) => {
    const others = other.files.get(name) ?? new Uint8Array();
    const same = bytes.length === others.length && bytes.every((byte, i) => byte === others[i]);
    return same ? [] : [name];
  }).sort();
}

const TUNED = "--finetune-epochs 2 --kl-weight 0.5 --small-ce 0.5";

Deno.test("small networks are fine-tuned, the base network is not, and a run goes on in between", async () => {
  const gpu = await Gpu.open();
  try {
    const without = await trained(gpu, TUNED.replace("2", "0"));
    const straight = await trained(gpu, TUNED);
    assertEquals(different(without.result, straight.result), [
      "small-2.safetensors",
      "small-4.safetensors",
    ]);
    const { summary, predictions } = straight.result;
    assertEquals([summary.epochs, summary.finetuneEpochs], [4, 2]);
    const printed = runResult(summary, { files: new Map(), folder: "runs/a", test: false });
    assert(
      printed.some((line) => line.includes("small-2 before its fine-tuning")),
      printed.join("\n"),
    );
    assertEquals(summary.base, without.result.summary.base);
    assertEquals(Object.keys(predictions), ["base", "small-2", "small-4"]);
    assertEquals(straight.epochs.map(({ epoch, epochs }) => [epoch, epochs]), [
      ...[[1, 4], [2, 4], [3, 4], [4, 4]],
    ]);
    const [, second, third, fourth] = straight.epochs;
    assertEquals([third.validation.base, fourth.validation.base], [
      second.validation.base,
      second.validation.base,
    ]);
    assertNotEquals(third.validation["small-2"], second.validation["small-2"]);
    assertEquals(Object.keys(third.training), ["small-2", "small-4"]);
    assertEquals([third.lambda, fourth.lambda], [0.5, 0.5]);
    // The rate rises to --lr once more.
    assert(third.lr > second.lr && third.lr > 1e-3, `${third.lr} after ${second.lr}`);

    // The states are those before and after both epochs of the training, and then of the fine-tuning.
    assertEquals(straight.states.length, 6);
    for (const bytes of [straight.states[2], straight.states[4]]) {
      const again = await trained(gpu, TUNED, parseTrainingState(bytes, "state"));
      assertEquals(different(straight.result, again.result), []);
      assertEquals(again.result.summary, {
        ...summary,
        seconds: again.result.summary.seconds,
      });
    }

    // A checkpoint has all networks.
    const { networks } = networksInFile(straight.states[5], "last.safetensors");
    assertEquals(networks.map(({ which }) => which), ["base", "small-2", "small-4"]);
    for (const network of networks) {
      const name = `${network.which}.safetensors`;
      const [saved] =
        networksInFile(straight.result.files.get(name) ?? new Uint8Array(), name).networks;
      assertEquals(network.top1, saved.top1);
      for (const [key, values] of saved.state) {
        const found = network.state.get(key);
        assert(values.every((value, i) => value === found?.[i]), `${name}: ${key}`);
      }
    }
  } finally {
    gpu.destroy();
  }
});
