import { assertEquals } from "@std/assert";
import { noAdapterMessage } from "../cli/no_adapter.ts";

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
