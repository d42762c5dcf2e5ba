// When tensors are copied to textures, and in which order commands run.
import { assertEquals } from "@std/assert";
import { defineKernel } from "../kernels/gpu/kernel.ts";
import { type CopiedOperands, Sources } from "../kernels/program/texture_copies.ts";
import { schedule } from "../kernels/program/command_order.ts";
import { Tensor } from "../kernels/gpu/tensor.ts";
import type { Command } from "../kernels/program/trace.ts";

const buffers = new Map<string, GPUBuffer>();

/** A tensor of 64 words, at word `start` of a buffer if one is named. */
function tensor(name: string, buffer?: string, start = 0): Tensor {
  const made = new Tensor(name, [64]);
  if (buffer) {
    const found = buffers.get(buffer) ?? {} as GPUBuffer;
    buffers.set(buffer, found);
    made.storage = { buffer: found, offset: start * 4 };
  }
  return made;
}

function run(name: string, reads: Record<string, Tensor>, writes: Record<string, Tensor>): Command {
  const kernel = defineKernel({
    name,
    workgroupSize: 1,
    reads: {},
    writes: {},
    dims: {},
    wgsl: "",
  });
  return { kind: "dispatch", kernel, reads, writes, dims: {}, workgroups: 1 };
}

/** All reads are copied, and writes called `updated`. */
const copied: CopiedOperands = ({ reads, writes }) => [
  ...Object.keys(reads),
  ...Object.keys(writes).filter((name) => name === "updated"),
];

/** The steps in words: kernels by name, copies as `<tensor`, zeros as `0 tensor`. */
function steps(commands: readonly Command[]): string[] {
  const sources = new Sources(commands, copied, 2 ** 20);
  return schedule(commands, copied, sources).map((step) => {
    if (step.kind === "dispatch") return step.kernel.name;
    return step.kind === "clear"
      ? `0 ${step.tensor.name}`
      : `<${step.kind === "texture copy" ? step.tensor.name : step.to.name}`;
  });
}

Deno.test("tensors of one buffer are copied together, and with what is updated late", () => {
  const a = tensor("a", "weights");
  const b = tensor("b", "weights", 64);
  const all = new Tensor("all", [128]);
  all.storage = a.storage;
  const [x, y] = [tensor("x"), tensor("y")];
  const commands = [
    run("f", { a }, { x }),
    run("g", { x, b }, { y }),
    run("update", { y }, { updated: all }),
  ];
  assertEquals(steps(commands), ["<a and others", "f", "<x", "g", "<y", "update"]);
});

Deno.test("far ranges of a buffer are copied one by one", () => {
  const a = tensor("a", "far");
  const b = tensor("b", "far", 6400);
  assertEquals(steps([run("f", { a, b }, { y: tensor("y") })]), ["<a", "<b", "f"]);
});

Deno.test("what only writes outside waits for a copy that another command needs", () => {
  const [x, y, z] = [tensor("x"), tensor("y"), tensor("z")];
  const out = tensor("out", "outside");
  const commands = [
    run("f", {}, { x }),
    run("store x", { x }, { out }),
    run("g", {}, { y }),
    run("h", { y }, { z }),
  ];
  assertEquals(steps(commands), ["f", "g", "<x", "<y", "store x", "h"]);
});

Deno.test("what waits runs before anything that touches its results", () => {
  const [x, y] = [tensor("x"), tensor("y")];
  const out = tensor("out", "result");
  const commands = [
    run("f", {}, { x }),
    run("store", { x }, { out }),
    run("add", { x }, { updated: out }),
    run("g", {}, { y }),
  ];
  assertEquals(steps(commands), ["f", "g", "<x", "store", "<out", "add"]);
});

Deno.test("a texture copy is made again after a write", () => {
  const [x, y, z] = [tensor("x"), tensor("y"), tensor("z")];
  const commands = [
    run("f", {}, { x }),
    run("g", { x }, { y }),
    run("f again", {}, { x }),
    run("h", { x }, { z }),
  ];
  assertEquals(steps(commands), ["f", "<x", "g", "f again", "<x", "h"]);
});

Deno.test("zeros outside are written first, unless something else was there before", () => {
  const early = tensor("early", "early zeros");
  const late = tensor("late", "late zeros");
  const commands: Command[] = [
    run("f", {}, { late }),
    { kind: "clear", tensor: early },
    { kind: "clear", tensor: late },
  ];
  assertEquals(steps(commands), ["0 early", "f", "0 late"]);
});

Deno.test("branches advance together", () => {
  const image = tensor("image", "image");
  const [a, b, c, d, e] = ["a", "b", "c", "d", "e"].map((name) => tensor(name));
  const commands = [
    run("f", { image }, { a }),
    run("g", { a }, { b }),
    run("h", { image }, { c }),
    run("i", { c }, { d }),
    run("sum", { b, d }, { e }),
  ];
  assertEquals(steps(commands), ["<image", "f", "h", "<a", "<c", "g", "i", "<b", "<d", "sum"]);
});

Deno.test("zeros inside are written when they are needed", () => {
  const [x, y, z] = [tensor("x"), tensor("y"), tensor("z")];
  const commands: Command[] = [
    { kind: "clear", tensor: y },
    run("f", {}, { x }),
    run("g", { x }, { updated: y }),
    run("h", { y }, { z }),
  ];
  assertEquals(steps(commands), ["f", "0 y", "<x", "<y", "g", "<y", "h"]);
});
