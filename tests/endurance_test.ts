import { assert, assertEquals } from "@std/assert";
import { fileURLToPath } from "node:url";
import { lacks } from "./permissions.ts";

Deno.test(
  "10,000 steps leave the memory of GPU and process as it was",
  { ignore: lacks("read", "run") },
  async () => {
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--no-prompt", "--no-check", "--v8-flags=--expose-gc"],
        ...["--allow-env=DENO_WEBGPU_BACKEND,XDG_RUNTIME_DIR", "tests/endured_steps.ts"],
      ],
      cwd: fileURLToPath(new URL("../", import.meta.url)),
    }).output();
    const text = new TextDecoder();
    assert(stdout.length, text.decode(stderr));
    const { grown, left, batches, loss } = JSON.parse(text.decode(stdout));
    assertEquals([left, batches], [[0, 0], 250]);
    assert(grown < 2, `the process has grown by ${grown.toFixed(1)} MiB`);
    assert(Number.isFinite(loss));
  },
);
