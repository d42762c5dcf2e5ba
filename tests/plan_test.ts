// Where a plan puts what lives only inside a program.
import { assert } from "@std/assert";
import { defineKernel } from "../kernels/gpu/kernel.ts";
import { Tensor } from "../kernels/gpu/tensor.ts";
import { type Arena, plan } from "../kernels/program/plan.ts";
import type { Dispatch } from "../kernels/program/trace.ts";

const kernel = defineKernel({
  name: "kernel",
  workgroupSize: 1,
  reads: { x: "bulk" },
  writes: { y: "bulk" },
  dims: {},
  wgsl: "",
});

function run(x: Tensor, writes: Readonly<Record<string, Tensor>>): Dispatch {
  return { kind: "dispatch", kernel, reads: { x }, writes, dims: {}, workgroups: 1 };
}

/** Tensors, each made of the one before it; the first comes from outside. */
function chain(length: number): { tensors: Tensor[]; commands: Dispatch[] } {
  const tensors = Array.from({ length }, (_, i) => new Tensor(`t${i}`, [64 * (1 + i % 3)]));
  tensors[0].storage = { buffer: {} as GPUBuffer, offset: 0 };
  const commands = tensors.slice(1).map((y, i) => run(tensors[i], { y }));
  return { tensors, commands };
}

const CAPACITY = { words: 2 ** 20, rows: 2 ** 10 };

const homeOf = (arenas: readonly Arena[], tensor: Tensor): Arena | undefined =>
  arenas.find(({ tensors }) => tensors.has(tensor));

Deno.test("what a kernel reads and what it writes lie in different buffers", () => {
  const { tensors: [, made], commands: [make] } = chain(2);
  const results = Array.from({ length: 6 }, (_, i) => new Tensor(`result ${i}`, [64]));
  const end = new Tensor("end", [64]);
  const commands = [
    make,
    // Not only the first of them, which is written right after what it reads.
    ...results.map((y) => run(made, { y })),
    ...results.map((x) => run(x, { y: end })),
  ];
  const { buffers } = plan(commands, { loaded: () => [], stored: () => [] }, CAPACITY);
  for (const { reads: { x }, writes: { y } } of commands) {
    const [from, to] = [homeOf(buffers, x), homeOf(buffers, y)];
    assert(to && from !== to, `${x.name} and ${y.name} share a buffer`);
  }
  // Buffers are used again all the same.
  assert(buffers.length < results.length, `${buffers.length} buffers`);
});

Deno.test("what a kernel loads and what it stores lie in different textures", () => {
  const { tensors, commands } = chain(9);
  const textured = { loaded: () => ["x"], stored: () => ["y"] };
  const { textures } = plan(commands, textured, CAPACITY);
  for (const { reads: { x }, writes: { y } } of commands) {
    if (x === tensors[0]) continue;
    const [from, to] = [homeOf(textures, x), homeOf(textures, y)];
    assert(from && to && from !== to, `${x.name} and ${y.name} share a texture`);
  }
  assert(textures.length < commands.length, `${textures.length} textures`);
});

/** Demands that no two tensors of a buffer overlap. */
function demandApart(buffers: readonly Arena[]): void {
  for (const { tensors } of buffers) {
    const placed = [...tensors].sort(([, a], [, b]) => a - b);
    placed.slice(1).forEach(([tensor, start], i) => {
      const [before, at] = placed[i];
      assert(at + before.words <= start, `${before.name} and ${tensor.name} overlap`);
    });
  }
}

Deno.test("tensors that are alive at the same time do not overlap", () => {
  const { tensors, commands } = chain(5);
  const last = new Tensor("last", [64]);
  // All of them are read again at the end.
  const all = [...commands, ...tensors.slice(1).map((x) => run(x, { y: last }))];
  const { buffers } = plan(all, { loaded: () => [], stored: () => [] }, CAPACITY);
  demandApart(buffers);
});

Deno.test("a result that nobody reads lies on no other of its kernel", () => {
  const [x, unused, kept] = ["x", "unused", "kept"].map((name) => new Tensor(name, [64]));
  x.storage = { buffer: {} as GPUBuffer, offset: 0 };
  const commands = [run(x, { y: unused, z: kept }), run(kept, { y: new Tensor("y", [64]) })];
  demandApart(plan(commands, { loaded: () => [], stored: () => [] }, CAPACITY).buffers);
});
