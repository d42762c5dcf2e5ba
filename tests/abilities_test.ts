// What kernels may use is asked of the implementation, by its features and by compiling.
import { assertEquals } from "@std/assert";
import { type Abilities, abilitiesOf, MATRIX_FEATURES } from "../kernels/gpu/abilities.ts";
import { assemble } from "../kernels/gpu/assemble.ts";
import { requestDevice } from "../kernels/gpu/request_device.ts";
import { typicalAdapter } from "../kernels/gpu/typical_adapter.ts";
import { standIn } from "../kernels/gpu/stand_in.ts";

const CONFIGS = [
  { M: 16, N: 16, K: 16, componentType: "f16", resultComponentType: "f32" },
  { M: 16, N: 8, K: 16, componentType: "f16", resultComponentType: "f16" },
];

/**
 * What is found on a device with these features whose compiler refuses what has one of `refused`
 * or lacks `demanded`.
 */
async function found(
  features: readonly string[],
  { refused = [], demanded = "", configs = CONFIGS, lanes = [32, 32] }: {
    refused?: readonly string[];
    demanded?: string;
    configs?: typeof CONFIGS;
    lanes?: [number, number];
  } = {},
): Promise<Abilities> {
  let error: unknown = null;
  const device = standIn<GPUDevice>({
    features: new Set(features),
    pushErrorScope: () => error = null,
    createShaderModule: ({ code }: GPUShaderModuleDescriptor) => {
      const fits = code.includes(demanded) && !refused.some((words) => code.includes(words));
      if (!fits) error = { message: "no such word" };
    },
    popErrorScope: () => Promise.resolve(error),
  });
  const [subgroupMinSize, subgroupMaxSize] = lanes;
  const info = { ...typicalAdapter("gpu").adapterInfo, subgroupMinSize, subgroupMaxSize };
  return await abilitiesOf(device, Object.assign(info, { subgroupMatrixConfigs: configs }));
}

const DAWN = ["subgroups", "shader-f16", MATRIX_FEATURES.dawn];

Deno.test("subgroups have a directive only where the compiler wants one", async () => {
  assertEquals((await found([])).subgroups, null);
  const [smallest, largest] = [4, 128];
  const lanes: [number, number] = [smallest, largest];
  const naga = await found(["subgroups"], { lanes, refused: ["enable subgroups;"] });
  assertEquals(naga.subgroups, { directives: [], smallest, largest });
  // Tint wants the directive before a name of a builtin.
  const tint = await found(["subgroups"], { lanes, demanded: "enable subgroups;" });
  const directives = ["enable subgroups;", "diagnostic(off, subgroup_uniformity);"];
  assertEquals(tint.subgroups, { directives, smallest, largest });
  assertEquals((await found(["subgroups"], { refused: ["subgroupBroadcast"] })).subgroups, null);
});

Deno.test("matrix units are spelled as the compiler takes them", async () => {
  const units = (await found(DAWN)).matrixUnits;
  assertEquals(units?.form, "tint-new");
  assertEquals(units?.vectors, true);
  const scalars = (await found(DAWN, { refused: ["array<vec4<f16>, 64>"] })).matrixUnits;
  assertEquals([scalars?.form, scalars?.vectors], ["tint-new", false]);
  assertEquals(units?.subgroupSize, 32);
  assertEquals(units?.configs, [
    { m: 16, n: 16, k: 16, operand: "f16", result: "f32" },
    { m: 16, n: 8, k: 16, operand: "f16", result: "f16" },
  ]);
  assertEquals((await found(DAWN, { refused: ["row_major"] })).matrixUnits?.form, "tint-old");
  assertEquals((await found(DAWN, { refused: ["subgroupMatrixLoad"] })).matrixUnits, null);
  const naga = await found(["shader-f16", MATRIX_FEATURES.wgpu]);
  assertEquals(naga.matrixUnits?.form, "naga");
  assertEquals(naga.matrixUnits?.directives, ["enable f16;", "enable wgpu_cooperative_matrix;"]);
});

Deno.test("matrix units are done without where they are of no use", async () => {
  assertEquals((await found(["subgroups", "shader-f16"])).matrixUnits, null);
  assertEquals((await found(["subgroups", MATRIX_FEATURES.dawn])).matrixUnits, null);
  assertEquals((await found(DAWN, { configs: [] })).matrixUnits, null);
  assertEquals((await found(DAWN, { lanes: [4, 32] })).matrixUnits, null);
});

Deno.test("experimental features are asked for where there are some, and done without", async () => {
  const asked: (readonly string[])[] = [];
  const adapterWith = (features: readonly string[]): GPUAdapter =>
    standIn<GPUAdapter>({
      ...typicalAdapter("gpu"),
      features: new Set(features),
      requestDevice: ({ requiredFeatures }: { requiredFeatures: readonly string[] }) => {
        asked.push(requiredFeatures);
        return requiredFeatures.includes(MATRIX_FEATURES.wgpu)
          ? Promise.reject(new TypeError("experimental features are not enabled"))
          : Promise.resolve(standIn<GPUDevice>({}));
      },
    });
  await requestDevice(adapterWith(["shader-f16", MATRIX_FEATURES.wgpu]));
  await requestDevice(adapterWith(["shader-f16", MATRIX_FEATURES.dawn]));
  assertEquals(asked, [
    ["shader-f16", "subgroups", MATRIX_FEATURES.wgpu],
    ["shader-f16", "subgroups"],
    ["shader-f16", "subgroups", MATRIX_FEATURES.dawn],
  ]);
});

Deno.test("directives stand first in a kernel, each once", () => {
  const { code } = assemble({
    name: "product",
    workgroupSize: 32,
    reads: { x: "bulk" },
    writes: { y: "bulk" },
    dims: {},
    wgsl: "fn main(workgroup: u32, lane: u32) { set_y(workgroup, x(lane)); }",
  }, {
    loads: "buffer",
    textured: [],
    halves: ["x"],
    queued: false,
    wide: false,
    directives: ["enable subgroups;", "enable f16;"],
  });
  assertEquals(code.split("\n").slice(0, 3), [
    "enable f16;",
    "enable subgroups;",
    "struct Dims { workgroups: u32, }",
  ]);
});
