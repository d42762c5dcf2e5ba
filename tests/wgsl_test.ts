import { assert, assertEquals, assertRejects } from "@std/assert";
import { kernelsOfCase } from "../cli/case_kernels.ts";
import { readArguments } from "../cli/arguments.ts";
import { indent, wgslText } from "../cli/wgsl.ts";
import { requestDevice } from "../kernels/gpu/request_device.ts";
import { Gpu } from "../kernels/gpu.ts";
import { ops } from "../kernels/mod.ts";
import { UsageError } from "../train/errors.ts";
import { adjoinCommand } from "./command.ts";
import { lacks } from "./permissions.ts";

const KINDS = ["software", "gpu"] as const;

/** What the command prints for a command line. */
async function printed(line: string): Promise<string> {
  const { values, positionals: [op] } = readArguments("wgsl", line.split(" "));
  return await wgslText({ op, ...values });
}

for (const kind of KINDS) {
  Deno.test(`every case of every op has ${kind} kernels, forward and gradient`, async () => {
    for (const op of ops) {
      for (const test of op.cases) {
        const passes = (await kernelsOfCase(kind, op, test)).map(({ pass }) => pass);
        assert(passes.includes("forward"), op.name);
        // A sum and a prefix pass their gradients on.
        const passesOn = ["add", "narrow"].includes(op.name);
        if (op.vjp !== "none" && !passesOn) assert(passes.includes("gradient"), op.name);
        if (op.vjp === "none") assert(!passes.includes("gradient"), op.name);
      }
    }
  });
}

Deno.test("kernels are printed as WGSL that compiles", async () => {
  const adapter = await navigator.gpu.requestAdapter();
  assert(adapter);
  const device = await requestDevice(adapter);
  try {
    for (const kind of KINDS) {
      for (const op of ops) {
        for (const { assembled } of await kernelsOfCase(kind, op, op.cases[0])) {
          device.pushErrorScope("validation");
          device.createShaderModule({ code: indent(assembled.code) });
          assertEquals(await device.popErrorScope(), null, `${kind} ${assembled.name}`);
        }
      }
    }
  } finally {
    device.destroy();
  }
});

Deno.test("the kernels of a case are those that run on an adapter of its kind", async () => {
  const gpu = await Gpu.open();
  try {
    const { name } = gpu.preset;
    const [op] = ops;
    using scope = gpu.scope();
    const inputs = op.cases[1].inputs.map((input, i) =>
      scope.tensor(`${i}`, "shape" in input ? input.shape : input)
    );
    const program = await scope.trace("forward", (trace) => {
      trace.keep(op.forward(trace, inputs, op.cases[1].attributes)[0]);
    });
    const kernels = await kernelsOfCase(name, op, op.cases[1]);
    assertEquals(
      kernels.filter(({ pass }) => pass === "forward").map(({ assembled }) => assembled.name),
      program.actions.flatMap((action) => action.kind === "dispatch" ? [action.name] : []),
    );
  } finally {
    gpu.destroy();
  }
});

Deno.test("a case, a preset, a kernel and the list are chosen by flags", async () => {
  const relu = await printed("relu");
  assert(relu.startsWith("// relu, case 0, forward: relu\n// 1 workgroup of 64 invocations; "));
  assert(relu.includes("\nfn entry(\n  @builtin(workgroup_id) id: vec3u,\n"));
  assert(relu.includes("// relu, case 0, gradient: relu gradient\n"));
  assertEquals(
    await printed("relu --kernel gradient"),
    relu.slice(relu.indexOf("// relu, case 0, g")),
  );
  assert((await printed("relu --case 1")).startsWith("// relu, case 1, "));
  assert((await printed("relu --preset software")).includes("textureLoad"));
  assert(!relu.includes("textureLoad"));
  const list = (await printed("masked-conv2d --list --case 1")).split("\n");
  assert(list[0].startsWith("masked conv2d, case 1: ["));
  assert(list[1].startsWith("  forward   forward, tiled product "));
  const all = await printed("maskedConv2d --list");
  assertEquals(all.match(/^masked conv2d, case/gm)?.length, ops[1].cases.length);
});

Deno.test("an op, a case and a kernel that do not exist are refused", async () => {
  for (
    const [line, message] of [
      ["reluu", "reluu is no op; did you mean relu?"],
      ["zzzzzzzz", "zzzzzzzz is no op; the ops are conv2d, masked-conv2d, "],
      ["relu --case 99", `--case is at most ${5} for relu, found 99`],
      ["relu --kernel foo", "has foo in its name; they are relu; relu gradient"],
    ]
  ) {
    await assertRejects(() => printed(line), UsageError, message);
  }
});

Deno.test("wgsl needs no adapter", { ignore: lacks("run", "read") }, async () => {
  const found = await adjoinCommand(["wgsl", "add"], { DENO_WEBGPU_BACKEND: "none" });
  assertEquals([found.code, found.error], [0, ""]);
  assert(found.out.includes("fn main("));
  const { code, error } = await adjoinCommand(["wgsl", "ad"]);
  assertEquals(code, 2);
  assert(error.includes("did you mean add?"), error);
});
