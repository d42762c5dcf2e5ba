import { assertEquals, assertStringIncludes } from "@std/assert";
import { errorMessage } from "../cli/error_message.ts";
import { noAdapterMessage } from "../cli/no_adapter.ts";
import { NoAdapterError } from "../kernels/gpu/gpu_error.ts";

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

Deno.test("a missing adapter is blamed on nothing else where no interface is named", () => {
  const before = Deno.env.get("DENO_WEBGPU_BACKEND");
  const error = new NoAdapterError();
  try {
    Deno.env.set("DENO_WEBGPU_BACKEND", "nothing");
    assertStringIncludes(
      errorMessage(error, ["train"]),
      "for DENO_WEBGPU_BACKEND=nothing: wanted ",
    );
    Deno.env.delete("DENO_WEBGPU_BACKEND");
    assertEquals(errorMessage(error, ["train"]), error.message);
    assertStringIncludes(error.message, "; on Debian `apt-get install ");
  } finally {
    if (before !== undefined) Deno.env.set("DENO_WEBGPU_BACKEND", before);
  }
});
