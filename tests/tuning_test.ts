import { assert, assertEquals, assertThrows } from "@std/assert";
import { Choices } from "../kernels/conv/choices.ts";
import type { Work } from "../kernels/conv/work.ts";
import { choosePlan } from "../kernels/conv/algorithm.ts";
import { PRODUCT_ALGORITHMS, recordForward } from "../kernels/conv/convolution.ts";
import { geometry } from "../kernels/wgsl/geometry.ts";
import { Gpu, GpuError } from "../kernels/gpu.ts";
import { GPU, type Preset, SOFTWARE } from "../kernels/preset.ts";
import { Program } from "../kernels/program/program.ts";
import { tunablePlans } from "../kernels/conv/tunable_plans.ts";
import { TILING } from "../kernels/conv/tiles.ts";
import { Trace } from "../kernels/program/trace.ts";
import { tune } from "../kernels/conv/tuning.ts";
import { loadTiles, saveTiles, tuneTiles } from "../cli/run/tile_cache.ts";
import { lacks } from "./permissions.ts";

const TILES = TILING.products.map(({ name }) => name);

/** Two tiles of each kind: less to compile. */
const PAIR: Preset = {
  ...GPU,
  convolution: {
    ...GPU.convolution,
    tiles: { ...TILING, products: TILING.products.slice(-2), filters: TILING.filters.slice(-2) },
  },
};

function work(batch: number, [size, inputs, outputs, kernel]: readonly number[]): Work {
  const x = { shape: [batch, size, size, inputs] };
  const w = { shape: [kernel, kernel, inputs, outputs] };
  const padding = (kernel - 1) / 2;
  return { direction: "forward", geometry: geometry("conv2d", x, w, { stride: 1, padding }) };
}

async function withGpu(preset: Preset, test: (gpu: Gpu) => Promise<void>): Promise<void> {
  const gpu = await Gpu.open({ preset });
  try {
    await test(gpu);
  } finally {
    gpu.destroy();
  }
}

/** The kernel that a forward convolution is traced with. */
function kernelOf(gpu: Gpu, { geometry: g }: Work): string {
  const trace = new Trace(gpu, (tensor) => tensor);
  const x = trace.tensor("x", [g.batch, g.height, g.width, g.keepIn]);
  const w = trace.tensor("w", [g.kernelHeight, g.kernelWidth, g.filterIn, g.filterOut]);
  const y = trace.tensor("y", [g.batch, g.outHeight, g.outWidth, g.keepOut]);
  recordForward(trace, g, { x, w, y });
  const [command] = trace.commands;
  assert(command.kind === "dispatch");
  return command.kernel.name;
}

Deno.test("the estimate takes wide tiles for large layers and small ones for small layers", () =>
  withGpu(GPU, (gpu) => {
    const best = (batch: number, shape: readonly number[]): string =>
      tunablePlans(gpu, work(batch, shape))[0].name;
    assertEquals(best(128, [32, 64, 64, 3]), "128x64x16");
    assertEquals(best(128, [32, 16, 16, 3]), "64x16x16");
    assertEquals(best(1024, [16, 256, 256, 3]), "128x64x16");
    assertEquals(best(32, [4, 512, 512, 3]), "64x32x32");
    assertEquals(best(128, [1, 512, 10, 1]), "16x16x16");
    return Promise.resolve();
  }));

Deno.test("tuning takes one of the tiles, and what is traced afterwards uses it", () =>
  withGpu(PAIR, async (gpu) => {
    const forward = work(2, [5, 8, 8, 3]);
    kernelOf(gpu, forward);
    assertEquals(gpu.choices.open, [forward]);
    const before = gpu.live();
    const [tuned, ...others] = await tune(gpu, undefined, { rounds: 1 });
    assertEquals(gpu.live(), before);
    assertEquals(others, []);
    assertEquals(Object.keys(tuned.milliseconds).sort(), ["16x16x16", "64x16x16"]);
    assert(Object.keys(tuned.milliseconds).includes(tuned.tile));
    assertEquals(gpu.choices.open, []);
    assertEquals(kernelOf(gpu, forward), `forward, tiled product ${tuned.tile}, packed`);
    const other = tuned.tile === "16x16x16" ? "64x16x16" : "16x16x16";
    gpu.choices.set(forward, other);
    assertEquals(kernelOf(gpu, forward), `forward, tiled product ${other}, packed`);
  }));

Deno.test("gradients are tuned as well", () =>
  withGpu(PAIR, async (gpu) => {
    const { geometry } = work(1, [4, 4, 4, 1]);
    const works: Work[] = [
      { direction: "input gradient", geometry },
      { direction: "weight gradient", geometry },
    ];
    const tuned = await tune(gpu, works, { rounds: 1 });
    assertEquals(tuned.map(({ key }) => key.split(" 1x")[0]), [
      "input gradient",
      "weight gradient",
    ]);
    assert(["64x16x16/1", "32x32x16/1"].includes(tuned[1].tile));
  }));

/** As {@link PAIR}, for an adapter so small that little work is split up. */
const EIGHT: Preset = {
  ...PAIR,
  convolution: { ...PAIR.convolution, tiles: { ...PAIR.convolution.tiles!, processors: 8 } },
};

Deno.test("a weight gradient is timed with several numbers of splits", () =>
  withGpu(EIGHT, async (gpu) => {
    const one: Work = { ...work(2, [24, 4, 8, 3]), direction: "weight gradient" };
    const names = tunablePlans(gpu, one).map(({ name }) => name);
    assertEquals(names.toSorted(), ["32x32x16/8", "32x32x16/9", "64x16x16/9"]);
    const [tuned] = await tune(gpu, [one], { rounds: 1 });
    assertEquals(Object.keys(tuned.milliseconds), names);
  }));

Deno.test("a tile that fails when it runs leaves the choice to the others", () =>
  withGpu(PAIR, async (gpu) => {
    const { replay } = Program.prototype;
    Program.prototype.replay = function () {
      if (this.name === "tile 64x16x16") throw new GpuError("no room for it");
      replay.call(this);
    };
    try {
      const [tuned] = await tune(gpu, [work(1, [3, 4, 4, 1])], { rounds: 1 });
      assertEquals(Object.keys(tuned.milliseconds), ["16x16x16"]);
      assertEquals(tuned.tile, "16x16x16");
    } finally {
      Program.prototype.replay = replay;
    }
  }));

Deno.test("without a clock to read, tiles are timed from outside", async () => {
  const adapter = await navigator.gpu.requestAdapter();
  const device = await adapter!.requestDevice();
  const gpu = await Gpu.open({ device, preset: PAIR });
  try {
    const [tuned] = await tune(gpu, [work(1, [3, 4, 4, 1])], { rounds: 1 });
    for (const time of Object.values(tuned.milliseconds)) assert(time > 0 && time < 1000);
  } finally {
    gpu.destroy();
    device.destroy();
  }
});

Deno.test("a preset without tiles has nothing to tune", () =>
  withGpu(SOFTWARE, async (gpu) => {
    const forward = work(2, [5, 8, 8, 3]);
    kernelOf(gpu, forward);
    assertEquals(gpu.choices.open, []);
    assertEquals(await tune(gpu, [forward]), []);
  }));

Deno.test("choices survive a way through JSON, each adapter with its own", () => {
  const forward = work(2, [5, 8, 8, 3]);
  const choices = new Choices();
  choices.set(forward, "64x64x16");
  const json = JSON.parse(JSON.stringify({ ...choices.save("a GPU"), other: { x: "y" } }));
  const loaded = new Choices();
  assertEquals(loaded.load("another GPU", json), 0);
  assertEquals(loaded.get(forward, TILES), undefined);
  assertEquals(loaded.load("a GPU", json), 1);
  assertEquals(loaded.get(forward, TILES), "64x64x16");
  assertEquals(loaded.open, []);
  assertEquals(loaded.save("a GPU"), choices.save("a GPU"));
});

Deno.test("choices tell directions, shapes and spatial masks apart", () => {
  const one = work(2, [5, 8, 8, 3]);
  const masked = { ...one.geometry, tapBits: { taps_low: 5, taps_high: 0 } };
  const choices = new Choices();
  choices.set(one, "64x64x16");
  for (
    const other of [
      { ...one, direction: "input gradient" as const },
      work(3, [5, 8, 8, 3]),
      work(2, [5, 8, 7, 3]),
      { ...one, geometry: masked },
    ]
  ) assertEquals(choices.get(other, TILES), undefined);
});

Deno.test("JSON of another form is refused, and a tile that is gone gives way to the estimate", () => {
  const choices = new Choices();
  for (const wrong of [null, [], 3, { a: [] }, { a: { key: 1 } }]) {
    assertThrows(() => choices.load("a", wrong), TypeError, "Cannot load choices of tiles");
  }
  const forward = work(2, [5, 8, 8, 3]);
  choices.set(forward, "7x7");
  assertEquals(choices.get(forward, TILES), undefined);
  assertEquals(choices.open, [forward]);
});

Deno.test(
  "choices are kept in a folder, and tuned once only",
  { ignore: lacks("read", "write") },
  async () => {
    const folder = await Deno.makeTempDir();
    try {
      const forward = work(2, [5, 8, 8, 3]);
      await withGpu(PAIR, async (gpu) => {
        assertEquals(await loadTiles(gpu, folder), 0);
        gpu.choices.set(forward, "64x16x16");
        await saveTiles(gpu, folder);
      });
      await withGpu(PAIR, async (gpu) => {
        const rehearse = () => Promise.resolve(kernelOf(gpu, forward));
        assertEquals(await tuneTiles(gpu, rehearse, { folder }), []);
        assertEquals(choosePlan(PRODUCT_ALGORITHMS, gpu, forward).name, "64x16x16");
        // Another work is timed, but for a software adapter.
        const other = () => Promise.resolve(kernelOf(gpu, work(2, [5, 8, 8, 7])));
        const told: number[] = [];
        const timed = await tuneTiles(gpu, other, { folder, begin: (works) => told.push(works) });
        assertEquals(timed.length, gpu.device.adapterInfo.isFallbackAdapter ? 0 : 1);
        assertEquals(told, timed.length ? [1] : []);
      });
      await Deno.writeTextFile(`${folder}/tiles.json`, "{ broken");
      await withGpu(PAIR, async (gpu) => {
        assertEquals(await loadTiles(gpu, folder), 0);
        // A file is in the place of the folder.
        await saveTiles(gpu, `${folder}/tiles.json`);
        assertEquals(await loadTiles(gpu, `${folder}/tiles.json`), 0);
      });
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);
