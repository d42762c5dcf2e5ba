// Which results lie in textures alone, and that kernels store and load them there.
import { assert, assertEquals, assertRejects } from "@std/assert";
import { conv2d } from "../kernels/ops/conv2d.ts";
import { Gpu, GpuError } from "../kernels/gpu.ts";
import { defineKernel, type Read, type Write } from "../kernels/gpu/kernel.ts";
import { SOFTWARE } from "../kernels/preset.ts";
import { Tensor } from "../kernels/gpu/tensor.ts";
import { TEXTURE_WIDTH } from "../kernels/gpu/texture.ts";
import { texturedResults } from "../kernels/program/textured.ts";
import type { Command, Dispatch } from "../kernels/program/trace.ts";
import { holds } from "./op_suite.ts";

type Operands<Kind> = Record<string, readonly [Kind, Tensor]>;

function run(reads: Operands<Read>, writes: Operands<Write>): Dispatch {
  const kinds = <Kind>(of: Operands<Kind>): Record<string, Kind> =>
    Object.fromEntries(Object.entries(of).map(([name, [kind]]) => [name, kind]));
  const tensors = <Kind>(of: Operands<Kind>): Record<string, Tensor> =>
    Object.fromEntries(Object.entries(of).map(([name, [, tensor]]) => [name, tensor]));
  const kernel = defineKernel({
    name: "kernel",
    workgroupSize: 1,
    reads: kinds(reads),
    writes: kinds(writes),
    dims: {},
    wgsl: "",
  });
  return {
    kind: "dispatch",
    kernel,
    reads: tensors(reads),
    writes: tensors(writes),
    dims: {},
    workgroups: 1,
  };
}

/** Of each run, the names of the results that lie in textures. */
function textured(commands: readonly Command[], most = 8): readonly (readonly string[])[] {
  const results = texturedResults(commands, most);
  return commands.flatMap((command) => command.kind === "dispatch" ? [results(command)] : []);
}

const tensors = (count: number): Tensor[] =>
  Array.from({ length: count }, (_, i) => new Tensor(`t${i}`, [64]));

Deno.test("results that are only stored and loaded in bulk lie in textures", () => {
  const [x, y, z, w, unused] = tensors(5);
  const commands = [
    run({}, { x: ["bulk", x], y: ["bulk", y], unused: ["bulk", unused] }),
    run({ x: ["bulk", x], y: ["bulk", y] }, { z: ["bulk", z], w: ["bulk", w] }),
    run({ z: ["bulk", z], w: ["channel", w], y: ["small", y] }, { w: ["u32", unused] }),
  ];
  assertEquals(textured(commands), [["x"], ["z"], []]);
});

Deno.test("what is copied, cleared, updated or outside has a buffer", () => {
  const [kept, cleared, updated, outside] = tensors(4);
  outside.storage = { buffer: {} as GPUBuffer, offset: 0 };
  const to = new Tensor("to", [64]);
  const all = { kept, cleared, updated, outside };
  const bulk = Object.entries(all).map(([name, t]) => [name, ["bulk", t]] as const);
  const commands: Command[] = [
    { kind: "clear", tensor: cleared },
    run({}, Object.fromEntries(bulk)),
    run(Object.fromEntries(bulk), { updated: ["update", updated] }),
    { kind: "copy", from: kept, to },
  ];
  assertEquals(textured(commands), [[], []]);
});

Deno.test("a run has no more textures than there may be", () => {
  const [a, b, c, d] = tensors(4);
  const commands = [
    run({}, { a: ["bulk", a] }),
    run({ a: ["bulk", a] }, { b: ["bulk", b] }),
    run({ a: ["bulk", a], b: ["bulk", b] }, { c: ["bulk", c] }),
    run({ c: ["bulk", c] }, { d: ["bulk", d] }),
  ];
  assertEquals(textured(commands, 3), [["a"], ["b"], ["c"], []]);
  assertEquals(textured(commands, 2), [["a"], ["b"], [], []]);
});

Deno.test("convolutions are right with the fewest textures that a device may have", async () => {
  const adapter = await navigator.gpu.requestAdapter();
  const device = await adapter?.requestDevice();
  assert(device);
  assertEquals(device.limits.maxStorageTexturesPerShaderStage, 4);
  const gpu = await Gpu.open({ device, preset: { ...SOFTWARE, broadcast: false } });
  try {
    await holds(gpu, conv2d, conv2d.cases.slice(0, 8), { leaving: "loaded" });
  } finally {
    gpu.destroy();
    device.destroy();
  }
});

Deno.test("what is larger than a texture is refused in a sentence", async () => {
  const gpu = await Gpu.open({ preset: SOFTWARE });
  try {
    using scope = gpu.scope();
    const rows = gpu.device.limits.maxTextureDimension2D + 1;
    const start = defineKernel({
      name: "start",
      workgroupSize: 1,
      reads: {},
      writes: { y: "bulk" },
      dims: {},
      wgsl: "fn main(workgroup: u32, lane: u32) { set_y(0u, vec4f(1.0)); }",
    });
    const end = defineKernel({
      name: "end",
      workgroupSize: 1,
      reads: { y: "bulk" },
      writes: { z: "bulk" },
      dims: {},
      wgsl: "fn main(workgroup: u32, lane: u32) { set_z(0u, y(0u)); }",
    });
    const tracing = scope.trace("large", (trace) => {
      const y = trace.tensor("activations", [rows * TEXTURE_WIDTH * 4]);
      const z = trace.tensor("z", [4]);
      trace.run(start, { reads: {}, writes: { y }, dims: {}, workgroups: 1 });
      trace.run(end, { reads: { y }, writes: { z }, dims: {}, workgroups: 1 });
      trace.keep(z);
    });
    await assertRejects(() => tracing, GpuError, "Cannot allocate activations: it takes");
  } finally {
    gpu.destroy();
  }
});
