// Every test file runs in a thread of its own. Where the OpenGL backend is tried as well, libEGL
// leaves data in that thread which both its end and the end of the process free: a crash, now and
// then, after the last test. Vulkan alone does not load libEGL.
import { runsAlone } from "./alone.ts";
import { lacks } from "./permissions.ts";

if (Deno.build.os === "linux" && !Deno.env.has("DENO_WEBGPU_BACKEND")) {
  Deno.env.set("DENO_WEBGPU_BACKEND", "vulkan");
}

// The folder that the tests were started from is not that of the commands which they run.
Deno.env.delete("INIT_CWD");

// Files run side by side, but for those that nothing may run beside. Held until the file has run.
if (!lacks("read")) Deno.openSync(new URL(import.meta.url)).lockSync(runsAlone(Deno.mainModule));

// The same tests on Dawn, where it is installed: ADJOIN_WEBGPU=dawn deno task test tests/ops_test.ts
if (Deno.env.get("ADJOIN_WEBGPU") === "dawn") {
  const { useWebgpu } = await import("../cli/webgpu/use_webgpu.ts");
  await useWebgpu();
}
