import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { klWeightAt, lambdaAt, rateAt, type ScheduleOptions } from "../train/schedule.ts";

const OPTIONS: ScheduleOptions = {
  sched: "constant",
  lr: 0.5,
  momentum: 0.9,
  decayRate: 0.25,
  warmupEpochs: 0,
  epochs: 10,
};

/** Learning rates of chosen steps of a run of 10 epochs of 6 steps. */
function lrs(options: Partial<ScheduleOptions>, steps: readonly number[]): number[] {
  return steps.map((step) => rateAt(step, 6, { ...OPTIONS, ...options }).lr);
}

function close(found: readonly number[], expected: readonly number[]): void {
  assertEquals(found.length, expected.length);
  found.forEach((value, i) => assertAlmostEquals(value, expected[i], 1e-15));
}

Deno.test("constant stays where it is", () => {
  assertEquals(lrs({}, [0, 30, 59]), [0.5, 0.5, 0.5]);
});

Deno.test("step falls at 1/3 and 2/3 of the run", () => {
  assertEquals(lrs({ sched: "step" }, [0, 19, 20, 39, 40, 59]), [
    0.5,
    0.5,
    0.125,
    0.125,
    0.03125,
    0.03125,
  ]);
  // 7 steps: thirds lie within steps 2 and 4.
  const seven = [0, 1, 2, 3, 4, 5, 6].map((step) =>
    rateAt(step, 7, { ...OPTIONS, sched: "step", epochs: 1 }).lr
  );
  assertEquals(seven, [0.5, 0.5, 0.5, 0.125, 0.125, 0.03125, 0.03125]);
});

Deno.test("cosine goes from lr through half of it to 0", () => {
  close(lrs({ sched: "cosine" }, [0, 20, 30, 40, 60]), [0.5, 0.375, 0.25, 0.125, 0]);
});

Deno.test("warm-up rises by equal steps, from lr / steps on", () => {
  close(lrs({ warmupEpochs: 1 }, [0, 1, 2, 5, 6, 59]), [0.5 / 6, 1 / 6, 0.25, 0.5, 0.5, 0.5]);
  // The half of the cosine lies in the middle of what is left: step 6 + 27.
  close(lrs({ warmupEpochs: 1, sched: "cosine" }, [2, 6, 33, 60]), [0.25, 0.5, 0.25, 0]);
  close(lrs({ warmupEpochs: 0.5, sched: "step" }, [0, 3, 20]), [0.5 / 3, 0.5, 0.125]);
  close(lrs({ warmupEpochs: 10, sched: "cosine" }, [0, 59]), [0.5 / 60, 0.5]);
});

Deno.test("one-cycle rises for a tenth of the run, then falls; momentum does the opposite", () => {
  const at = (step: number) => rateAt(step, 6, { ...OPTIONS, sched: "onecycle" });
  const [first, rising, peak, middle, end] = [0, 3, 6, 33, 60].map(at);
  close([first.lr, rising.lr, peak.lr], [0.05, 0.275, 0.5]);
  close([middle.lr, end.lr], [(0.5 + 0.5e-5) / 2, 0.5e-5]);
  close([first, rising, peak, middle, end].map(({ momentum }) => momentum), [
    0.95,
    0.9,
    0.85,
    0.9,
    0.95,
  ]);
});

Deno.test("momentum is the option's but for one-cycle", () => {
  for (const sched of ["constant", "step", "cosine"] as const) {
    for (const step of [0, 30, 59]) {
      const { momentum } = rateAt(step, 6, { ...OPTIONS, sched, momentum: 0.7, warmupEpochs: 2 });
      assertEquals(momentum, 0.7);
    }
  }
});

Deno.test("no schedule leaves (0, lr] within the run", () => {
  for (const sched of ["constant", "step", "cosine", "onecycle"] as const) {
    for (let step = 0; step < 60; step++) {
      const { lr } = rateAt(step, 6, { ...OPTIONS, sched });
      assert(lr > 0 && lr <= 0.5, `${sched} ${step}: ${lr}`);
    }
  }
});

Deno.test("lambda is 4 t^2 up to the middle of the run, then 1", () => {
  const epochs = [0, 1, 2, 3, 4, 5, 6, 7].map((epoch) => lambdaAt(epoch, 8));
  assertEquals(epochs, [0, 0.0625, 0.25, 0.5625, 1, 1, 1, 1]);
  assertEquals(lambdaAt(0, 1), 0);
});

Deno.test("the divergence weighs as the authors have it, as much throughout, or rises for a quarter", () => {
  const weights = (klSchedule: "authors" | "constant" | "ramp", klWeight = 1): number[] =>
    Array.from(
      { length: 16 },
      (_, step) => klWeightAt(step, 2, { klSchedule, klWeight, epochs: 8 }),
    );
  const authors = [0, 1 / 16, 1 / 4, 9 / 16, 1, 1, 1, 1].flatMap((weight) => [weight, weight]);
  assertEquals(weights("authors"), authors);
  assertEquals(weights("constant", 2), new Array(16).fill(2));
  assertEquals(weights("ramp", 2), [0.5, 1, 1.5, ...new Array(13).fill(2)]);
});
