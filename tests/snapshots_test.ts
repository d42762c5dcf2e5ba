import { assertEquals, assertThrows } from "@std/assert";
import { DataError } from "../data/error.ts";
import { Gpu } from "../kernels/gpu.ts";
import { Parameters } from "../nn/parameters.ts";
import { Snapshots } from "../train/resume/snapshots.ts";
import type { StateTensors } from "../train/resume/training_state.ts";

type Values = Float32Array | Uint32Array;

Deno.test("a snapshot is put back, and one of another run is refused by what it lacks", async () => {
  const gpu = await Gpu.open();
  using _closed = { [Symbol.dispose]: () => gpu.destroy() };
  using scope = gpu.scope();
  const weights = new Parameters(scope, "weights", [
    { name: "a.weight", shape: [3] },
    { name: "b.weight", shape: [2, 2] },
  ]);
  const tally = scope.tensor("tally", [2]);
  let steps = 7;
  const snapshots = await Snapshots.trace(scope, [{
    groups: { parameters: weights },
    singles: { tally },
    numbers: () => ({ steps }),
    setNumbers: (numbers) => steps = numbers.steps,
  }]);
  const values = new Map([
    ["a.weight", new Float32Array([1, 2, 3])],
    ["b.weight", new Float32Array([4, 5, 6, 7])],
  ]);
  weights.load(values);
  scope.write(tally, new Float32Array([8, 9]));
  const { tensors, numbers } = await snapshots.take();
  assertEquals([...tensors.keys()], ["parameters/a.weight", "parameters/b.weight", "tally"]);
  weights.load(new Map());
  steps = 0;
  snapshots.put({ tensors, numbers });
  assertEquals([steps, (await snapshots.take()).tensors], [7, tensors]);
  const other = (name: string, found?: Values): StateTensors => {
    const entries = [...tensors].flatMap(([key, own]): [string, Values][] =>
      key !== name ? [[key, own]] : found ? [[key, found]] : []
    );
    return new Map(entries);
  };
  const cases: [StateTensors, string][] = [
    [other("parameters/a.weight"), "wanted 3 values of parameters/a.weight, found none"],
    [other("tally", new Float32Array(3)), "wanted 2 values of tally, found 3"],
    [
      other("parameters/b.weight", new Uint32Array(4)),
      "wanted floats as parameters/b.weight, found whole numbers",
    ],
  ];
  for (const [wrong, says] of cases) {
    const { message } = assertThrows(() => snapshots.put({ tensors: wrong, numbers }), DataError);
    assertEquals(message, `Cannot go on from the checkpoint: ${says}; it is of another run`);
  }
  assertThrows(
    () => snapshots.put({ tensors, numbers: {} }),
    DataError,
    "Cannot go on from the checkpoint: wanted a number as steps, found none; it is of another run",
  );
  assertEquals((await snapshots.take()).tensors, tensors);
  weights.load(new Map([["a.weight", new Float32Array([1, NaN, 3])]]));
  assertEquals((await snapshots.take()).wrong?.name, "parameters/a.weight");
});
