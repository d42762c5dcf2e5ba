import { assert, assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import { DeviceLostError, Gpu, GpuError, OutOfMemoryError } from "../kernels/gpu.ts";
import { abilitiesOf } from "../kernels/gpu/abilities.ts";
import { requestDevice } from "../kernels/gpu/request_device.ts";
import { relu } from "../kernels/ops/relu.ts";
import { applying } from "../train/learner.ts";
import { openSmallMemory } from "./small_memory.ts";

const MIB = 2 ** 20;

async function withSmall(
  bytes: number,
  test: (gpu: Gpu, small: Awaited<ReturnType<typeof openSmallMemory>>) => Promise<void>,
): Promise<void> {
  const small = await openSmallMemory(bytes);
  const gpu = await Gpu.open({ device: small.device });
  try {
    await test(gpu, small);
  } finally {
    gpu.destroy();
    small.device.destroy();
  }
}

Deno.test("memory that the device does not have is told by name, bytes and what is in use", () =>
  withSmall(4 * MIB, async (gpu) => {
    using scope = gpu.scope();
    scope.tensor("weights", [MIB / 2]);
    const { bytes } = gpu.live();
    scope.tensor("activations", [MIB]);
    // What follows fails, too, and is not to blame.
    scope.tensor("more", [MIB]);
    const error = await assertRejects(() => gpu.idle(), OutOfMemoryError);
    assertEquals([error.what, error.live], ["activations", bytes]);
    assert(error.asked! >= 4 * MIB && error.asked! < 5 * MIB, String(error.asked));
    assertEquals(
      error.message,
      `Cannot allocate activations: it takes ${error.asked} bytes, and ${gpu.adapter} gives no more ` +
        `than the ${bytes} in use (Not enough memory left); lower the batch, lower the size of ` +
        "images or take a smaller model",
    );
  }));

Deno.test("a trace without room for its tensors is out of memory, and its scope gives all back", () =>
  withSmall(4 * MIB, async (gpu, small) => {
    const before = small.taken;
    {
      using scope = gpu.scope();
      const x = scope.tensor("x", [MIB / 2]);
      const tracing = scope.trace("two", (trace) => {
        const [y] = applying(trace)(relu, [x], {});
        trace.keep(y);
      });
      const { what } = await assertRejects(() => tracing, OutOfMemoryError);
      assertEquals(what, "relu");
    }
    assertEquals(small.taken, before);
    await gpu.idle().catch(() => {});
    using scope = gpu.scope();
    const x = scope.tensor("x", [MIB / 4], new Float32Array(MIB / 4).fill(2));
    assertEquals((await gpu.read([x]))[0][7], 2);
  }));

Deno.test("a buffer to read with that has no room is out of memory", () =>
  withSmall(4 * MIB, async (gpu) => {
    using scope = gpu.scope();
    const x = scope.tensor("x", [MIB * 3 / 4]);
    const { what } = await assertRejects(() => gpu.read([x]), OutOfMemoryError);
    assertEquals(what, "read");
  }));

Deno.test("a tensor beyond the limits of the adapter is out of memory", () =>
  withSmall(4 * MIB, async (gpu) => {
    const asked = gpu.device.limits.maxStorageBufferBindingSize + 4;
    const error = assertThrows(() => gpu.takeBuffer("activations", asked), OutOfMemoryError);
    assertEquals([error.what, error.asked, error.live], ["activations", asked, 0]);
    await gpu.idle();
  }));

Deno.test("memory that runs out where nothing is allocated is no refusal of work", async () => {
  const gpu = await Gpu.open();
  const error = new GPUOutOfMemoryError("Not enough memory left");
  gpu.device.dispatchEvent(new GPUUncapturedErrorEvent("uncapturederror", { error }));
  const found = assertThrows(() => gpu.check(), OutOfMemoryError, "Not enough memory left");
  assertEquals(found.asked, undefined);
  gpu.check();
  gpu.destroy();
});

const AFTER: Record<string, (gpu: Gpu) => Promise<unknown>> = {
  "waiting for it": async (gpu) => {
    await gpu.device.lost;
    await gpu.idle();
  },
  "reading": (gpu) => gpu.read([gpu.scope().tensor("x", [4])]),
  "submitting": async (gpu) => {
    await gpu.device.lost;
    gpu.submit(() => {});
  },
  "compiling": async (gpu) => {
    using scope = gpu.scope();
    const x = scope.tensor("x", [4]);
    const program = await scope.trace("one", (trace) => {
      trace.keep(applying(trace)(relu, [x], {})[0]);
    });
    program.replay();
    await gpu.read([x]);
  },
  "mapping a buffer": (gpu) => {
    const made = gpu.device.createBuffer({ size: 16, usage: 9 });
    return gpu.map(made);
  },
};

for (const [what, run] of Object.entries(AFTER)) {
  Deno.test(`a lost device is told by its own error when ${what}`, async () => {
    const gpu = await Gpu.open();
    gpu.device.destroy();
    await assertRejects(() => run(gpu), DeviceLostError, "The GPU is lost");
    // And stays lost.
    assertThrows(() => gpu.check(), DeviceLostError);
    gpu.destroy();
  });
}

Deno.test("a device that is lost within a reading is told by its own error", async () => {
  const gpu = await Gpu.open();
  using scope = gpu.scope();
  const x = scope.tensor("x", [4], [1, 2, 3, 4]);
  const reading = gpu.read([x]).then((values) => [...values[0]], (error) => error);
  gpu.device.destroy();
  const found = await reading;
  // What had been read before it was lost is right.
  if (found instanceof Error) assertInstanceOf(found, DeviceLostError);
  else assertEquals(found, [1, 2, 3, 4]);
  gpu.destroy();
});

Deno.test("error scopes that a lost device does not have are no error of their own", async () => {
  const gpu = await Gpu.open();
  gpu.device.popErrorScope = () => Promise.reject(new DOMException("Device lost"));
  gpu.takeBuffer("x", 16);
  gpu.device.destroy();
  await assertRejects(() => gpu.settle(), DeviceLostError);
  gpu.destroy();
});

Deno.test("a buffer that cannot be made is told by name, and that the device is lost before", async () => {
  const gpu = await Gpu.open();
  gpu.device.createBuffer = () => {
    throw new RangeError("no such buffer");
  };
  assertThrows(
    () => gpu.takeBuffer("x", 16),
    GpuError,
    "Cannot allocate x: it takes 16400 bytes, found RangeError: no such buffer",
  );
  gpu.device.destroy();
  await gpu.device.lost;
  assertThrows(() => gpu.takeBuffer("x", 16), DeviceLostError);
  gpu.destroy();
});

Deno.test("a device that is lost while it is opened is told by its own error", async () => {
  const gpu = await Gpu.open();
  const adapter = await navigator.gpu.requestAdapter();
  const popErrorScope = () => Promise.reject(new DOMException("Device lost"));
  const { info } = adapter!;
  const device = Object.create(gpu.device, {
    features: { value: new Set(["subgroups"]) },
    pushErrorScope: { value: () => {} },
    createShaderModule: { value: () => {} },
    popErrorScope: { value: popErrorScope },
  });
  await assertRejects(() => abilitiesOf(device, info), DeviceLostError, "Device lost");
  gpu.destroy();
});

Deno.test("an adapter that gives no device is named", async () => {
  const adapter = await navigator.gpu.requestAdapter();
  const requestDevice_ = () => Promise.reject(new DOMException("no room", "OperationError"));
  const busy = Object.create(adapter, {
    limits: { value: adapter!.limits },
    features: { value: adapter!.features },
    info: { value: adapter!.info },
    requestDevice: { value: requestDevice_ },
  });
  await assertRejects(() => requestDevice(busy), GpuError, "Cannot open ");
});
