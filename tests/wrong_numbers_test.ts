// Values that are no numbers have the outcome that is promised, and are never saved. Many more:
// `deno task torture --only wrong-numbers`.
import { assert, assertEquals } from "@std/assert";
import { Gpu } from "../kernels/gpu.ts";
import { Injection } from "./torture/injection.ts";
import { type Case, injectedRun } from "./torture/wrong_numbers.ts";
import { lacks } from "./permissions.ts";

const CASES: readonly Pick<Case, "place" | "value" | "outcome" | "times" | "step">[] = [
  { place: "gradients", value: Infinity, outcome: "steps left out", times: 2, step: 1 },
  { place: "images", value: NaN, outcome: "gone back", times: 3, step: 2 },
  { place: "parameters", value: NaN, outcome: "gone back", times: 1, step: 4 },
  { place: "statistics", value: NaN, outcome: "gone back", times: 1, step: 3 },
  { place: "second moment", value: Infinity, outcome: "gone back", times: 1, step: 0 },
  { place: "average", value: -Infinity, outcome: "given up", times: 1, step: 5 },
];

Deno.test("values that are no numbers come to what is promised, and are never saved", {
  ignore: lacks("read", "env"),
}, async () => {
  const gpu = await Gpu.open();
  try {
    using injection = new Injection();
    for (const one of CASES) {
      const run = "adjoined, adamw, averages";
      const checkpointSteps = one.outcome === "steps left out" ? 1 : undefined;
      const { hits, fault } = await injectedRun(gpu, injection, {
        ...{ ...one, run, checkpointSteps, seed: 1 },
      });
      assertEquals(fault, undefined, JSON.stringify(one));
      assert(hits.length > 0);
    }
  } finally {
    gpu.destroy();
  }
});
