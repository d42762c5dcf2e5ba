import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { describeAdapter } from "../kernels/gpu/adapter.ts";
import { Gpu, GpuError } from "../kernels/gpu.ts";
import { defineKernel } from "../kernels/gpu/kernel.ts";
import { standIn } from "../kernels/gpu/stand_in.ts";
import { deal } from "../kernels/gpu/warm_up.ts";
import { lacks } from "./permissions.ts";
import type { Tensor } from "../kernels/gpu/tensor.ts";

const scale = defineKernel({
  name: "scale",
  workgroupSize: 64,
  reads: { x: "bulk" },
  writes: { y: "bulk" },
  dims: { quads: "u32", factor: "f32" },
  wgsl: `
fn main(workgroup: u32, lane: u32) {
  let i = workgroup * 64u + lane;
  if (i < dims.quads) { set_y(i, dims.factor * x(i)); }
}`,
});

async function withGpu(test: (gpu: Gpu) => Promise<void>, maxWorkgroups?: number): Promise<void> {
  const gpu = await Gpu.open({ maxWorkgroups });
  try {
    await test(gpu);
  } finally {
    gpu.destroy();
  }
}

function run(
  trace: Parameters<Parameters<ReturnType<Gpu["scope"]>["trace"]>[1]>[0],
  x: Tensor,
  factor: number,
): Tensor {
  const y = trace.tensor("y", x.shape);
  trace.run(scale, {
    reads: { x },
    writes: { y },
    dims: { quads: y.quads, factor },
    workgroups: Math.ceil(y.quads / 64),
  });
  return y;
}

Deno.test("a program gives the same result each time it is replayed, on new inputs", () =>
  withGpu(async (gpu) => {
    using scope = gpu.scope();
    const x = scope.tensor("x", [3, 5], Array.from({ length: 15 }, (_, i) => i));
    let y = x;
    const program = await scope.trace("twice", (trace) => {
      y = trace.keep(run(trace, run(trace, x, 2), 3));
    });
    program.replay();
    assertEquals([...(await gpu.read([y]))[0]].slice(0, 4), [0, 6, 12, 18]);
    scope.write(x, Array(15).fill(1));
    program.replay();
    assertEquals([...(await gpu.read([y]))[0]], Array(15).fill(6));
  }));

Deno.test("tensors of a program that are not alive at once share memory", () =>
  withGpu(async (gpu) => {
    using scope = gpu.scope();
    const x = scope.tensor("x", [1 << 20]);
    const program = await scope.trace("chain", (trace) => {
      let y = x;
      for (let i = 0; i < 20; i++) y = run(trace, y, 1);
      trace.keep(y);
    });
    assert(program.bytes < 6 * x.bytes, `${program.bytes} bytes for 20 tensors of ${x.bytes}`);
    assert(program.bytes <= 1.25 * program.lowerBound + 2 * x.bytes + (1 << 18));
  }));

Deno.test("a scope gives all of its memory back", () =>
  withGpu(async (gpu) => {
    assertEquals(gpu.live(), { buffers: 0, bytes: 0 });
    {
      using scope = gpu.scope();
      const x = scope.tensor("x", [1000]);
      const program = await scope.trace("one", (trace) => void trace.keep(run(trace, x, 2)));
      program.replay();
      assert(gpu.live().bytes > 4000);
    }
    assertEquals(gpu.live(), { buffers: 0, bytes: 0 });
  }));

Deno.test("replaying takes no memory", () =>
  withGpu(async (gpu) => {
    using scope = gpu.scope();
    const x = scope.tensor("x", [1000]);
    const program = await scope.trace("one", (trace) => void trace.keep(run(trace, x, 2)));
    program.replay();
    const before = gpu.live();
    for (let i = 0; i < 100; i++) program.replay();
    await gpu.idle();
    assertEquals(gpu.live(), before);
  }));

Deno.test("a kernel that does not compile is refused by name and line", () =>
  withGpu(async (gpu) => {
    using scope = gpu.scope();
    const x = scope.tensor("x", [4]);
    const broken = {
      ...scale,
      name: "broken",
      wgsl: "fn main(a: u32, b: u32) {\n  let z = 1u + 1f;\n}",
    };
    const error = await assertRejects(
      () =>
        scope.trace("broken", (trace) =>
          trace.run(broken, {
            reads: { x },
            writes: { y: x },
            dims: { quads: 1, factor: 1 },
            workgroups: 1,
          })),
      GpuError,
    );
    assertMatch(error.message, /kernel broken/);
    assertMatch(error.message, /broken(:\d+:\d+|: .* :\d+:\d+ )/);
    assertStringIncludes(error.message, "let z = 1u + 1f");
  }));

Deno.test("an error of the GPU is thrown at the next submit", () =>
  withGpu(async (gpu) => {
    using scope = gpu.scope();
    const x = scope.tensor("x", [4]);
    const storage = x.storage!;
    gpu.submit((encoder) => encoder.clearBuffer(storage.buffer, 0, 1 << 30));
    await new Promise((resolve) => setTimeout(resolve, 10));
    assertThrows(() => gpu.submit(() => {}), GpuError, "The GPU refused its work");
    gpu.submit(() => {});
  }));

Deno.test("too large a tensor is refused with its name, bytes and the limit", () =>
  withGpu(async (gpu) => {
    using scope = gpu.scope();
    const limit = gpu.device.limits.maxStorageBufferBindingSize;
    assertThrows(
      () => scope.tensor("activations", [limit]),
      GpuError,
      `Cannot allocate activations: it takes ${
        limit * 4
      } bytes, the limit of ${gpu.adapter} is ${limit}`,
    );
    await gpu.idle();
  }));

Deno.test("the largest buffer is one that the device can make", () =>
  withGpu((gpu) => {
    const { limits } = gpu.device;
    const small = { ...limits, maxBufferSize: 1 << 20, maxStorageBufferBindingSize: 1 << 20 };
    const device = new Proxy(gpu.device, {
      get: (of, name) => {
        if (name === "limits") return small;
        const value = Reflect.get(of, name);
        return typeof value === "function" ? value.bind(of) : value;
      },
    });
    return Gpu.open({ device }).then((capped) => {
      const made = capped.takeBuffer("largest", capped.largestBuffer);
      assert(made.size <= 1 << 20, `${made.size} bytes`);
      assertThrows(() => capped.takeBuffer("more", 1 << 20), GpuError, "Cannot allocate more");
      capped.destroy();
    });
  }));

Deno.test("a program that cannot be made leaves no memory behind", () =>
  withGpu(async (gpu) => {
    using scope = gpu.scope();
    const x = scope.tensor("x", [64]);
    const before = gpu.live();
    await assertRejects(
      () => scope.trace("broken", (trace) => void run(trace, run(trace, x, 2), NaN)),
      TypeError,
      "factor is a number, found NaN",
    );
    assertEquals(gpu.live(), before);
  }));

Deno.test("a tensor of more channels than a uniform holds is refused by name", () =>
  withGpu(async (gpu) => {
    using scope = gpu.scope();
    const kernel = defineKernel({
      name: "wide",
      workgroupSize: 1,
      reads: { bias: "channel" },
      writes: { y: "bulk" },
      dims: {},
      wgsl: `fn main(workgroup: u32, lane: u32) { set_y(0u, bias(0u)); }`,
    });
    const bias = scope.tensor("fc.bias", [4097]);
    await assertRejects(
      () =>
        scope.trace("wide", (trace) => {
          const y = trace.tensor("y", [4]);
          trace.run(kernel, { reads: { bias }, writes: { y }, dims: {}, workgroups: 1 });
        }),
      RangeError,
      "Cannot run kernel wide: bias holds 4096 values at most, found fc.bias [4097]",
    );
  }));

Deno.test("a lost device is named as the reason", () =>
  withGpu(async (gpu) => {
    using scope = gpu.scope();
    const x = scope.tensor("x", [4]);
    gpu.device.destroy();
    await assertRejects(() => gpu.read([x]), GpuError, "The GPU is lost");
    assertThrows(() => gpu.submit(() => {}), GpuError, "The GPU is lost");
  }));

Deno.test("a device of one's own is left without listeners", () =>
  withGpu(async ({ device }) => {
    let removed = false;
    const add = device.addEventListener.bind(device);
    device.addEventListener = (
      type: string,
      listener: EventListenerOrEventListenerObject | null,
      options?: boolean | AddEventListenerOptions,
    ) => {
      const signal = options instanceof Object ? options.signal : undefined;
      signal?.addEventListener("abort", () => void (removed = true));
      add(type, listener, options);
    };
    const gpu = await Gpu.open({ device });
    gpu.destroy();
    assert(removed);
  }));

Deno.test("a tensor of a trace cannot be read unless it is kept", () =>
  withGpu(async (gpu) => {
    using scope = gpu.scope();
    const loose: Tensor[] = [];
    await scope.trace("empty", (trace) => void loose.push(trace.tensor("loose", [1])));
    await assertRejects(() => gpu.read(loose), TypeError, "keep() it while tracing");
  }));

Deno.test("more workgroups than a grid has in one dimension are folded", () =>
  withGpu(async (gpu) => {
    using scope = gpu.scope();
    const count = 65536 * 64 * 4 + 4;
    const x = scope.tensor("x", [count], new Float32Array(count).fill(1));
    let y = x;
    const program = await scope.trace("large", (trace) => void (y = trace.keep(run(trace, x, 2))));
    program.replay();
    const [values] = await gpu.read([y]);
    assertEquals(values.findIndex((v) => v !== 2), -1);
  }));

Deno.test(
  "without an adapter there is one sentence with the cure",
  { ignore: lacks("run") },
  async () => {
    const code = `import { Gpu } from "${new URL("../kernels/gpu.ts", import.meta.url)}";
    try { await Gpu.open(); } catch (error) { console.log(error.name, error.message); }`;
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["eval", code],
      env: { VK_DRIVER_FILES: "/nonexistent.json", DENO_WEBGPU_BACKEND: "vulkan" },
    }).output();
    const text = new TextDecoder().decode(stdout);
    assertMatch(text, /^GpuError Cannot start as there is no WebGPU adapter: .*apt-get install/);
  },
);

Deno.test("an adapter of Deno's over OpenGL is called so", () => {
  const info = (min: number, max: number, own = true): GPUAdapterInfo =>
    Object.create(own ? GPUAdapterInfo.prototype : null, {
      description: { value: "a card" },
      subgroupMinSize: { value: min },
      subgroupMaxSize: { value: max },
    });
  assertEquals(describeAdapter(info(4, 128)), "a card, OpenGL");
  assertEquals(describeAdapter(info(8, 8)), "a card");
  // That of another implementation, as Dawn's.
  assertEquals(describeAdapter(info(4, 128, false)), "a card");
});

Deno.test("an adapter of Dawn's is called so, by its device and its driver", () => {
  class Info {
    readonly device = "nvidia-h200-";
    constructor(readonly description: string) {}
  }
  Object.defineProperty(Info, "name", { value: "GPUAdapterInfo" });
  const named = (driver: string): string =>
    describeAdapter(standIn<GPUAdapterInfo>(new Info(driver)));
  assertEquals(named("NVIDIA: 580.159.04"), "nvidia-h200 (NVIDIA: 580.159.04), Dawn");
  assertEquals(named(""), "nvidia-h200, Dawn");
});

Deno.test("of several adapters the fastest is asked for", async () => {
  const { gpu } = navigator;
  const asked: unknown[] = [];
  const answer = (options: unknown) => Promise.resolve(void asked.push(options));
  Object.defineProperty(gpu, "requestAdapter", { value: answer, configurable: true });
  try {
    await assertRejects(() => Gpu.open(), GpuError, "no WebGPU adapter");
  } finally {
    Reflect.deleteProperty(gpu, "requestAdapter");
  }
  assertEquals(asked, [{ powerPreference: "high-performance" }]);
});

Deno.test("another implementation of WebGPU is asked in the place of the environment's", async () => {
  const asked: unknown[] = [];
  const requestAdapter = (options: unknown) => Promise.resolve(void asked.push(options));
  const webgpu = standIn<GPU>({ requestAdapter });
  await assertRejects(() => Gpu.open({ webgpu }), GpuError, "no WebGPU adapter");
  // The name that the command line has for one.
  const named = JSON.parse('"dawn"');
  await assertRejects(() => Gpu.open({ webgpu: named }), TypeError, "of type string");
  assertEquals(asked, [{ powerPreference: "high-performance" }]);
});

Deno.test("kernels are dealt out heaviest first, each to the least laden", () => {
  const dealt = deal([1, 9, 4, 3, 5], (weight) => weight, 2);
  assertEquals(dealt, [[9, 3], [5, 4, 1]]);
  assertEquals(deal([], () => 1, 3), [[], [], []]);
});

Deno.test("kernels that several devices compiled give the right results", async () => {
  const gpu = await Gpu.open();
  using scope = gpu.scope();
  const x = scope.tensor("x", [64], Array.from({ length: 64 }, (_, i) => i));
  const kernels = Array.from({ length: 12 }, (_, k) =>
    defineKernel({
      name: `add ${k}`,
      workgroupSize: 16,
      reads: { x: "bulk" },
      writes: { y: "bulk" },
      dims: {},
      wgsl: `fn main(workgroup: u32, lane: u32) { set_y(lane, x(lane) + vec4f(${k}.0)); }`,
    }));
  const kept: Tensor[] = [];
  const program = await scope.trace("sums", (trace) => {
    for (const kernel of kernels) {
      const y = trace.tensor("y", [64]);
      trace.run(kernel, { reads: { x }, writes: { y }, dims: {}, workgroups: 1 });
      kept.push(trace.keep(y));
    }
  });
  assertEquals(gpu.pipelines, kernels.length);
  program.replay();
  const found = await gpu.read(kept);
  assertEquals(found.map((y) => y[63]), kernels.map((_, k) => 63 + k));
  gpu.destroy();
});
