import { assertEquals, assertRejects } from "@std/assert";
import { nullDevice } from "../kernels/gpu/null_device.ts";
import { typicalAdapter } from "../kernels/gpu/typical_adapter.ts";
import { DeviceLostError, Gpu, GpuError, NoAdapterError } from "../kernels/gpu.ts";
import { Recovery } from "../train/recovery.ts";
import { MemoryKeeper } from "../train/resume/keeper.ts";
import type { TrainingState } from "../train/resume/training_state.ts";
import { readArguments } from "../cli/arguments.ts";
import { trainRequest } from "../cli/options.ts";

const { options } = trainRequest(readArguments("train", []));

const none = () => Gpu.open({ device: nullDevice(typicalAdapter("gpu")) });

function stateAt(epoch: number, step: number, phase = "train"): TrainingState {
  return {
    phase,
    position: { epoch, step },
    tensors: new Map(),
    numbers: {},
    history: [],
    seconds: 0,
    run: {
      adapter: "",
      options,
      classes: [],
      image: [1, 1, 1],
      normalization: { mean: [], std: [] },
    },
  };
}

/** A recovery that waits for nothing, and what it told and opened. */
function recovery(open: () => Promise<Gpu> = none) {
  const keeper = new MemoryKeeper();
  const notes: string[] = [];
  const opened: Gpu[] = [];
  const made = new Recovery({
    keeper,
    note: (text) => notes.push(text),
    open: async () => {
      const gpu = await open();
      opened.push(gpu);
      return gpu;
    },
    waits: [0, 0, 0],
  });
  return { keeper, notes, opened, recovery: made };
}

Deno.test("a run goes on from its last checkpoint on another device", async () => {
  const { keeper, notes, opened, recovery: on } = recovery();
  const from: (TrainingState | undefined)[] = [];
  const results = [
    () => Promise.reject(new DeviceLostError("no power")),
    async () => {
      await keeper.save(stateAt(0, 3));
      throw new DeviceLostError("no power");
    },
    async () => {
      await keeper.save(stateAt(1, 0));
      throw new DeviceLostError("no\npower");
    },
    () => Promise.resolve("done"),
  ];
  const found = await on.run((gpu, state) => {
    assertEquals(gpu, opened.at(-1));
    from.push(state);
    return results[from.length - 1]();
  });
  assertEquals(found, "done");
  assertEquals(from, [undefined, undefined, stateAt(0, 3), stateAt(1, 0)]);
  assertEquals(opened.length, 4);
  assertEquals(notes, [
    "the GPU was lost: no power; going on from the beginning with another one",
    "the GPU was lost: no power; going on from step 3 of epoch 1 with another one",
    "the GPU was lost: no\\npower; going on from the end of epoch 1 with another one",
  ]);
});

Deno.test("a run that keeps no new checkpoint is given up after some losses, and says where it is", async () => {
  const { keeper, opened, recovery: on } = recovery();
  await assertRejects(
    () => on.run(() => Promise.reject(new DeviceLostError("no power"))),
    GpuError,
    "Cannot go on: the GPU was lost 4 times without a new checkpoint between, found no power; " +
      "start again, as there was no checkpoint yet",
  );
  assertEquals(opened.length, 4);
  let runs = 0;
  await assertRejects(
    () =>
      on.run(async () => {
        // Two checkpoints: losses are counted from the last one on.
        if (++runs <= 4 && runs % 2 === 0) await keeper.save(stateAt(runs, 1));
        throw new DeviceLostError("no power");
      }),
    GpuError,
    "go on later, the last checkpoint is in memory",
  );
  assertEquals(runs, 7);
});

Deno.test("a run begins where it was told to until it has a checkpoint of its own", async () => {
  const { recovery: on } = recovery();
  const from: (TrainingState | undefined)[] = [];
  await on.run((_, state) => {
    from.push(state);
    return from.length < 3 ? Promise.reject(new DeviceLostError("")) : Promise.resolve();
  }, stateAt(5, 2));
  assertEquals(from, [stateAt(5, 2), stateAt(5, 2), stateAt(5, 2)]);
});

Deno.test("a driver that resets may have no adapter for some time", async () => {
  let asked = 0;
  const { recovery: on, notes } = recovery(() =>
    ++asked === 2 ? Promise.reject(new NoAdapterError()) : none()
  );
  let runs = 0;
  await on.run(() =>
    ++runs === 1 ? Promise.reject(new DeviceLostError("reset")) : Promise.resolve()
  );
  assertEquals([asked, runs, notes.length], [3, 2, 2]);
});

Deno.test("other errors end a run at once, and so does a GPU that was never there", async () => {
  const { recovery: on, opened } = recovery();
  const error = new GpuError("The GPU refused its work");
  assertEquals(await assertRejects(() => on.run(() => Promise.reject(error))), error);
  assertEquals(opened.length, 1);
  const without = recovery(() => Promise.reject(new NoAdapterError()));
  await assertRejects(() => without.recovery.run(() => Promise.resolve()), NoAdapterError);
  assertEquals(without.notes, []);
});

Deno.test("the device in use is given back", async () => {
  const { recovery: on, opened } = recovery();
  {
    using recovering = on;
    await recovering.run(() => Promise.resolve());
  }
  await assertRejects(() => opened[0].idle(), GpuError, "destroyed");
});
