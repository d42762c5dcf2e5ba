// Numbers that are none: training ends with an error and saves no weights, files of them are
// refused.
import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { encodeSafetensors, parseSafetensors } from "../data/safetensors.ts";
import type { Gpu } from "../kernels/gpu.ts";
import { demandFiniteScores, demandFiniteState } from "../train/finite.ts";
import { EXIT } from "../cli/exit.ts";
import { DivergedError } from "../train/errors.ts";
import { finish } from "../train/finish.ts";
import type { Job } from "../train/job.ts";
import type { Curable } from "../data/cure.ts";
import type { Learner, Weights } from "../train/learner.ts";
import { adjoinCommand } from "./command.ts";
import { withFolder } from "./folder.ts";
import { lacks } from "./permissions.ts";

const ignore = lacks("read", "write", "run", "env");
const ONE_STEP = [
  ...["--train-size", "16", "--batch-size", "16", "--val-size", "16", "--epochs", "1"],
  ...["--sched", "constant", "--quiet"],
];

for (const mode of ["plain", "adjoined"]) {
  Deno.test(
    `train --mode ${mode} saves nothing when the last step diverges`,
    { ignore },
    () =>
      withFolder(async (dir) => {
        const args = ["--mode", mode, "--lr", "3e38", "--output", `${dir}/run`];
        const { code, error } = await adjoinCommand(["train", ...ONE_STEP, ...args]);
        assertEquals(code, EXIT.diverged, error);
        assertMatch(
          error,
          /Cannot go on: the base network's validation loss is (NaN|Infinity) after epoch 1; lower --lr \(found/,
        );
        const names = [...Deno.readDirSync(`${dir}/run`)].map(({ name }) => name);
        assert(!names.some((name) => /safetensors|summary/.test(name)), names.join());
      }),
  );
}

Deno.test(
  "eval refuses weights, and logits, that are no numbers",
  { ignore },
  () =>
    withFolder(async (dir) => {
      const run = await adjoinCommand(["train", ...ONE_STEP, "--output", `${dir}/run`]);
      assertEquals(run.code, EXIT.ok, run.error);
      const bytes = await Deno.readFile(`${dir}/run/base.safetensors`);
      const cases: [string, number, RegExp][] = [
        ["conv1.0.weight", NaN, /wanted numbers, found NaN in conv1\.0\.weight; take other/],
        // Sums of which are infinite.
        ["fc.weight", 3e38, /wanted logits that are numbers, found a loss of NaN; take/],
      ];
      for (const [name, value, message] of cases) {
        const { tensors, metadata } = parseSafetensors(bytes, "base");
        tensors.get(name)!.data.fill(value as never);
        const file = `${dir}/wrong.safetensors`;
        await Deno.writeFile(file, encodeSafetensors(tensors, metadata));
        const { code, out, error } = await adjoinCommand(["eval", file, "--val-size", "16"]);
        assertEquals([code, out], [EXIT.data, ""], error);
        assertMatch(error, message);
      }
    }),
);

Deno.test("scores and weights are finite, or training has diverged", () => {
  const score = { top1: 1, top5: 1, loss: 1 };
  const scores = { base: score, small: { ...score, loss: Infinity } };
  const options = { lr: 2, sched: "step", weightDecay: 0.1 } as const;
  demandFiniteScores({ scores: { base: score }, epoch: 1 }, options);
  const { message } = assertThrows(
    () => demandFiniteScores({ scores, epoch: 3 }, options),
    DivergedError,
  );
  assertEquals(
    message,
    "Cannot go on: the small network's validation loss is Infinity after epoch 3; lower lr (found 2) " +
      "or add warmupEpochs",
  );
  const state = new Map([["a", Float32Array.of(1, 2)], ["b", Float32Array.of(0, NaN)]]);
  assertThrows(
    () => demandFiniteState(state, options),
    DivergedError,
    "b holds NaN after the last step and is not saved; lower lr",
  );
  // One cycle takes no warm-up.
  const { message: cure } = assertThrows(
    () => demandFiniteState(state, { lr: 2, sched: "onecycle", weightDecay: 0.1 }),
    DivergedError,
  );
  assertMatch(cure, /; lower lr \(found 2\)$/);
  // What takes more than all of a weight in each step is to blame.
  const { message: strong, option } = assertThrows(
    () => demandFiniteState(state, { lr: 4e-3, sched: "step", weightDecay: 1e5 }),
    DivergedError,
  ) as DivergedError & Curable;
  assertMatch(strong, /; lower weightDecay \(found 100000\) or lower lr \(found 0\.004\)$/);
  assertEquals(option, "weightDecay");
  state.delete("b");
  demandFiniteState(state, options);
});

Deno.test("weights that are no numbers are not encoded", async () => {
  const job = { options: { lr: 1 }, split: {}, objective: { mode: "plain" } } as Job;
  const state = new Map([["fc.bias", Float32Array.of(NaN)]]);
  const measured = { read: () => Promise.resolve(state) } as Weights;
  const learner = { measured } as Learner;
  const gpu = {} as Gpu;
  await assertRejects(() => finish(gpu, job, { learner, scores: {} }), DivergedError, "fc.bias");
});
