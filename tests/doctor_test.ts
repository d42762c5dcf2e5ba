import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { diagnose, watchGpu } from "../cli/doctor/doctor.ts";
import { doctorText } from "../cli/doctor/doctor_text.ts";
import type { Finding } from "../cli/doctor/finding.ts";
import { findings } from "../cli/doctor/findings.ts";
import type { AdapterFound, GpuFound } from "../cli/doctor/gpu_found.ts";
import { holds, selfTest } from "../cli/doctor/self_test.ts";
import { cacheOf, placeOf, type Surroundings } from "../cli/doctor/surroundings.ts";
import { Dawn } from "../cli/webgpu/dawn.ts";
import { EXIT } from "../cli/exit.ts";
import { parseTiles } from "../cli/run/tile_cache.ts";
import { nullDevice } from "../kernels/gpu/null_device.ts";
import { typicalAdapter } from "../kernels/gpu/typical_adapter.ts";
import { Gpu } from "../kernels/gpu.ts";
import { adjoinCommand } from "./command.ts";
import { withFolder } from "./folder.ts";
import { lacks } from "./permissions.ts";

const ADAPTER: AdapterFound = {
  name: "NVIDIA H200",
  vendor: "4318",
  architecture: "",
  kind: "gpu",
  limits: {
    maxBufferSize: 2 ** 40,
    maxStorageBufferBindingSize: 2 ** 32 - 4,
    maxStorageBuffersPerShaderStage: 32,
    maxTextureDimension2D: 32768,
    maxComputeInvocationsPerWorkgroup: 1024,
    maxComputeWorkgroupStorageSize: 49152,
  },
  features: { "timestamp-query": true, "subgroups": true },
  subgroup: [32, 32],
  broadcast: false,
};

const WELL: GpuFound = {
  adapter: ADAPTER,
  tested: [{ name: "linear", error: 1e-7 }, { name: "winograd, forward", error: 3e-5 }],
  speed: { gflops: 25123, gigabytes: 3456 },
};

const AROUND: Surroundings = {
  versions: { adjoin: "1", Deno: "2", V8: "3", sharp: "4" },
  system: "linux x86_64",
  cores: 16,
  memory: { total: 64e9, available: 32e9 },
  permissions: [{ flag: "allow-read", granted: true, for: "runs" }],
  places: [{ what: "runs", path: "/a/runs", free: 5e12, writable: true }],
  caches: [{ what: "tiles", path: "/c/tiles.json", entries: { "NVIDIA H200": 7, other: 2 } }],
};

function found(gpu: GpuFound, around: Partial<Surroundings> = {}): Finding[] {
  const surroundings = { ...AROUND, ...around };
  return findings({ gpu, surroundings, passedOver: [], os: "linux" });
}

/** What is not well, as `name: found; cure`. */
function complaints(all: readonly Finding[]): string[] {
  return all.filter(({ state }) => state === "problem" || state === "warning")
    .map(({ name, found, cure }) => `${name}: ${found}; ${cure}`);
}

Deno.test("the doctor has nothing to say against a machine that is well", () => {
  const all = found(WELL);
  assertEquals(complaints(all), []);
  const text = doctorText(all, 80);
  assertStringIncludes(text, "  ✓ adapter     NVIDIA H200\n");
  assertStringIncludes(text, "✓ speed       25100 GFLOP/s in a convolution, 3460 GB/s of memory");
  assertStringIncludes(text, "9 in /c/tiles.json, 7 for this GPU");
  assert(text.endsWith("\n\n✓ all is well\n"), text);
  assert(text.split("\n").every((line) => line.length <= 80), text);
});

Deno.test("each thing that is not well is said with what to do", () => {
  const software = { ...ADAPTER, name: "llvmpipe, OpenGL", kind: "software" } as const;
  const disk = { what: "runs", path: "/a/runs" };
  const rows: [readonly Finding[], RegExp[]][] = [
    [found({ ...WELL, adapter: software }), [
      /^adapter: llvmpipe, OpenGL: software on the processor; train small networks/,
      /^interface: OpenGL, up to four times slower than Vulkan; install .*libvulkan1/,
    ]],
    [found({ adapter: ADAPTER, tested: [{ name: "relu", error: Infinity }, WELL.tested![0]] }), [
      /^self-test: wrong results of 1 kernel: relu \(Infinity\); update the driver/,
    ]],
    [found({ ...WELL, problem: "The GPU is lost: gone; start again" }), [
      /^failed: The GPU is lost: gone; start again$/,
    ]],
    [found(WELL, { memory: { total: 2e9, available: 5e8 } }), [/^memory: 500 MB free .*end other/]],
    [found(WELL, { places: [{ ...disk, free: 1e6, writable: true }] }), [
      /1.00 MB free; make room/,
    ]],
    [found(WELL, { places: [{ ...disk, writable: false }] }), [
      /cannot be written to; .*--output$/,
    ]],
    [found(WELL, { caches: [{ what: "tiles", path: "/t", problem: "broken" }] }), [
      /^tiles: \/t: broken; delete the file/,
    ]],
    [found(WELL, { pictures: "Cannot decode: no sharp: add --allow-ffi" }), [
      /^pictures: Cannot decode: no sharp; add --allow-ffi$/,
    ]],
  ];
  for (const [all, wanted] of rows) {
    const said = complaints(all);
    assertEquals(said.length, wanted.length, said.join("\n"));
    wanted.forEach((pattern, i) => assertMatch(said[i], pattern));
  }
});

Deno.test("without an adapter the rest is looked at all the same, without any permission", {
  permissions: "none",
}, async () => {
  const problem = "Cannot start as there is no WebGPU adapter: wanted a GPU, found none; do this";
  const gpu = () => Promise.resolve({ problem, missing: true });
  const [first, ...others] = (await diagnose({ gpu })).findings;
  assertEquals([first.name, first.state, first.cure], ["adapter", "problem", "do this"]);
  assert(others.every(({ state, name }) => state !== "problem" && name !== "speed"));
  const named = (await diagnose({ gpu, backend: "nothing" })).findings[0];
  assertMatch(`${named.found}; ${named.cure}`, /BACKEND=nothing: wanted .*; unset DENO_WEBGPU_/);
});

Deno.test("a driver that hangs does not hang the doctor; what it found before is kept", async () => {
  const program = 'postMessage({ found: { adapter: { name: "a" } } }); for (;;);';
  const { problem, hung, adapter } = await watchGpu(
    0.3,
    new URL(`data:text/javascript,${encodeURIComponent(program)}`),
  );
  assertEquals([hung, adapter?.name], [true, "a"]);
  assertMatch(problem ?? "", /^no answer within 0.3 seconds; /);
});

Deno.test("the self-test finds kernels that compute nothing", async () => {
  const gpu = await Gpu.open({ device: nullDevice(typicalAdapter("gpu")) });
  const tested = await selfTest(gpu);
  assert(tested.length > 12 && tested.filter(holds).length <= 1, JSON.stringify(tested));
  for (const algorithm of ["tiled product", "winograd", "depthwise weight gradient"]) {
    assert(tested.some(({ name }) => name.startsWith(`${algorithm}, `)), algorithm);
  }
});

Deno.test("caches and disks are looked at", {
  ignore: lacks("read", "write"),
}, async () => {
  await withFolder(async (dir) => {
    const path = `${dir}/tiles.json`;
    assertEquals(await cacheOf("tiles", path, parseTiles), { what: "tiles", path });
    await Deno.writeTextFile(path, '{ "a": { "b": "c", "d": "e" } }');
    assertEquals((await cacheOf("tiles", path, parseTiles)).entries, { a: 2 });
    await Deno.writeTextFile(path, "{");
    assertMatch((await cacheOf("tiles", path, parseTiles)).problem ?? "", /found a text that is/);
    const later = `${dir}/not/there/yet`;
    assertEquals(await placeOf("runs", later), { what: "runs", path: later });
  });
});

Deno.test("the command tests the adapter that is there, and ends with its verdict", {
  ignore: lacks("read", "run", "env"),
}, async () => {
  const [here, none] = await Promise.all([
    adjoinCommand(["doctor", "--json"]),
    adjoinCommand(["doctor"], { DENO_WEBGPU_BACKEND: "nothing" }),
  ]);
  // Where Dawn is installed, it writes to stderr what it does not like of a driver.
  const quiet = (error: string): string => Dawn.isInstalled ? "" : error;
  assertEquals([here.code, quiet(here.error)], [EXIT.ok, ""], here.out);
  const { well, gpu, findings }: { well: boolean; gpu: GpuFound; findings: Finding[] } = JSON.parse(
    here.out,
  );
  assert(well && gpu.tested && gpu.tested.length > 12 && gpu.tested.every(holds), here.out);
  assert(gpu.speed && gpu.speed.gflops > 0 && gpu.speed.gigabytes > 0);
  const runs = findings.find(({ name }) => name === "runs");
  assertMatch(runs?.found ?? "", /runs, .*B free$/);
  assertEquals([none.code, quiet(none.error)], [EXIT.gpu, ""], none.out);
  assertMatch(none.out, /^GPU\n {2}✗ adapter {2,}Cannot start as there is no WebGPU adapter/);
  assertMatch(none.out, /→ unset DENO_WEBGPU_BACKEND\n/);
  assertMatch(none.out, /\n✗ 1 problem( and \d+ warnings?)?\n$/);
});
