import { assertEquals, assertStringIncludes } from "@std/assert";
import { errorMessage } from "../cli/error_message.ts";
import { adapterNotes } from "../cli/run/adapter_note.ts";
import { noAdapterMessage } from "../cli/no_adapter.ts";
import { NoAdapterError } from "../kernels/gpu/gpu_error.ts";
import { lacks } from "./permissions.ts";
import { replaced } from "./replaced.ts";

Deno.test("a missing adapter is blamed on the interface that the environment names", () => {
  const message = (backend: string, os = "linux"): string =>
    noAdapterMessage({ backend, os, cure: "a driver cures it" })
      .replace("Cannot start as there is no WebGPU adapter for DENO_WEBGPU_BACKEND=", "");
  const unset = "unset DENO_WEBGPU_BACKEND";
  assertEquals(message("metal"), `metal: wanted vulkan or gl on this system; ${unset}`);
  assertEquals(message("vulkan", "darwin"), `vulkan: wanted metal on this system; ${unset}`);
  assertEquals(
    message("vulkan"),
    `vulkan: wanted a GPU or a driver for vulkan, found none; ${unset}, or a driver cures it`,
  );
  assertEquals(message("gl"), `gl: wanted a GPU or a driver for gl, found none; ${unset}`);
});

Deno.test("a missing adapter is blamed on nothing else where no interface is named", {
  ignore: lacks("env"),
}, () => {
  let backend: string | undefined = "nothing";
  const asked: string[] = [];
  const get = (name: string): string | undefined => (asked.push(name), backend);
  using _ = replaced(Deno.env, "get", { value: get });
  const error = new NoAdapterError();
  assertStringIncludes(errorMessage(error, ["train"]), "for DENO_WEBGPU_BACKEND=nothing: wanted ");
  backend = undefined;
  assertEquals(errorMessage(error, ["train"]), error.message);
  assertStringIncludes(error.message, "; on Debian `apt-get install ");
  assertEquals(new Set(asked), new Set(["DENO_WEBGPU_BACKEND"]));
});

Deno.test("a run on a software adapter tells of a GPU that was passed over, others do not", () => {
  const found = "an NVIDIA GPU is here, but was not taken; install its driver";
  const notes = (adapter: string) => adapterNotes(adapter, () => found);
  assertEquals(notes("llvmpipe (LLVM 15.0.6, 256 bits)"), [`warning: ${found}`]);
  assertEquals(notes("NVIDIA H200"), []);
  assertEquals(adapterNotes("llvmpipe (LLVM 15.0.6, 256 bits)", () => undefined), []);
});
