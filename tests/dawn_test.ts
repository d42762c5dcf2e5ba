// Chromium's WebGPU in the place of Deno's: how it is chosen, what is said where it is not there, and,
// where it is installed, that the same training gives the same network on it.
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { DAWN, Dawn } from "../cli/webgpu/dawn.ts";
import { EXIT } from "../cli/exit.ts";
import { parseCheckpoint } from "../export/checkpoint.ts";
import { GpuError } from "../kernels/gpu.ts";
import { dawnFindings } from "../cli/doctor/dawn_findings.ts";
import { adjoinCommand } from "./command.ts";
import { withFolder } from "./folder.ts";
import { lacks } from "./permissions.ts";
import { replaced } from "./replaced.ts";

/** A module of this text. */
function moduleOf(text: string): string {
  return `data:text/javascript,${encodeURIComponent(text)}`;
}

const WANTED = `Cannot open Dawn: wanted the package ${DAWN}, found `;

async function problemOf(module: string): Promise<string> {
  const { message } = await assertRejects(() => Dawn.create(module), GpuError);
  return message;
}

Deno.test("without its package, one sentence says how to get it", async () => {
  const none = await problemOf(new URL("./no_such_package/index.js", import.meta.url).href);
  assertEquals(none, `${WANTED}none; run sh setup.sh --dawn`);
  const broken = await problemOf(moduleOf('throw new Error("invalid ELF header")'));
  assertEquals(broken, `${WANTED}invalid ELF header; run sh setup.sh --dawn again`);
  const words = 'Requires ffi access to "/a/dawn.node", run again with the --allow-ffi flag';
  assertEquals(
    await problemOf(moduleOf(`throw new Error(${JSON.stringify(words)})`)),
    `${WANTED}one that Deno was started without the permission to load; add --allow-ffi=/a/dawn.node, or start it ` +
      "with deno task",
  );
});

Deno.test("Dawn is created with matrix units and half floats, and looks seldom", async () => {
  using _ = replaced(globalThis, "setImmediate", { value: setImmediate, writable: true });
  const created = await Dawn.create(moduleOf("export const create = (options) => options"));
  const options = JSON.stringify(created);
  assertStringIncludes(options, "allow_unsafe_apis,vulkan_enable_f16_on_nvidia");
  assertStringIncludes(options, "timestamp_quantization");
  const pauses: number[] = [];
  const later = (_: () => void, milliseconds: number): void => void pauses.push(milliseconds);
  using __ = replaced(globalThis, "setTimeout", { value: later, writable: true });
  const { promise, resolve } = Promise.withResolvers<void>();
  // What is bound counts as native, as Dawn's own functions do.
  setImmediate((() => {}).bind(null));
  setImmediate(() => resolve());
  await promise;
  assertEquals(pauses, [2]);
});

Deno.test("the doctor says what it finds on Dawn, none of it a problem of its own", () => {
  const [none] = dawnFindings();
  assertEquals(none.state, "note");
  assertStringIncludes(none.found, "sh setup.sh --dawn");
  const problem = "Cannot start as there is no WebGPU adapter: found none; on Debian install one";
  const failed = dawnFindings({ problem, missing: true });
  assertEquals(failed.map(({ name, state }) => [name, state]), [["package", "ok"], [
    "failed",
    "warning",
  ]]);
  assertStringIncludes(failed[1].cure ?? "", "without --webgpu dawn");
  const wrong = dawnFindings({ tested: [{ name: "linear", error: 1 }] });
  assertEquals(wrong.at(-1)?.state, "warning");
});

Deno.test("the environment names an implementation where no flag does", {
  ignore: lacks("read", "run", "env"),
}, async () => {
  const line = ["parity", "tests/reference/linear.safetensors"];
  const [named, flag] = await Promise.all([
    adjoinCommand(line, { ADJOIN_WEBGPU: "wgpu" }),
    adjoinCommand([...line, "--webgpu", "deno"], { ADJOIN_WEBGPU: "wgpu" }),
  ]);
  assertEquals([named.code, named.out], [EXIT.usage, ""]);
  assertStringIncludes(named.error, "ADJOIN_WEBGPU is deno or dawn, found wgpu");
  assertEquals(flag.code, EXIT.ok, flag.error);
});

Deno.test("training on Dawn gives the network of Deno's own WebGPU", {
  ignore: lacks("read", "write", "run", "env", "ffi") || !Dawn.isInstalled,
}, () =>
  withFolder(async (dir) => {
    const train = "train --model resnet8 --epochs 1 --train-size 16 --val-size 8 --batch-size 8 " +
      "--image-size 12 --quiet --output";
    const run = (name: string) =>
      adjoinCommand([...train.split(" "), `${dir}/${name}`, "--webgpu", name]);
    const [own, dawn] = await Promise.all([run("deno"), run("dawn")]);
    assertEquals(own.code, EXIT.ok, own.error);
    if (dawn.code === EXIT.gpu) {
      // Dawn takes fewer drivers than wgpu does.
      assertStringIncludes(dawn.error, "adjoin: Cannot start as Dawn has no adapter");
      return console.warn(`not trained on Dawn: ${dawn.error.trim()}`);
    }
    assertEquals(dawn.code, EXIT.ok, dawn.error);
    const [a, b] = await Promise.all(["deno", "dawn"].map(async (name) => {
      const file = `${dir}/${name}/small.safetensors`;
      return parseCheckpoint(await Deno.readFile(file), file);
    }));
    for (const [name, values] of a.state) {
      const others = b.state.get(name) ?? [];
      const distance = Math.hypot(...values.map((value, i) => value - others[i]));
      assert(distance <= 1e-3 * Math.hypot(...values) + 1e-6, `${name}: ${distance}`);
    }
    const { adapter } = JSON.parse(await Deno.readTextFile(`${dir}/dawn/summary.json`));
    assertStringIncludes(adapter, ", Dawn");
  }));
