// The WGSL of kernels for matrix units, without a device that has some.
import { matrixRoof } from "../bench/matrix_roof.ts";
import { operandShapes, recordWork } from "../kernels/conv/record_work.ts";
import { useMatrices } from "../kernels/conv/matrix_tiles.ts";
import { MATRIX_FEATURES, type MatrixForm, type MatrixUnits } from "../kernels/gpu/abilities.ts";
import { nullDevice } from "../kernels/gpu/null_device.ts";
import { standIn } from "../kernels/gpu/stand_in.ts";
import { typicalAdapter } from "../kernels/gpu/typical_adapter.ts";
import { Gpu } from "../kernels/gpu.ts";
import { MATRIX_TILES } from "../kernels/matrix/tile.ts";
import { unitOperations } from "../kernels/matrix/units.ts";
import { GPU } from "../kernels/preset.ts";
import { geometry } from "../kernels/wgsl/geometry.ts";
import type { Work } from "../kernels/conv/work.ts";

/** A kernel for matrix units. */
export interface MatrixText {
  readonly direction: Work["direction"];
  readonly name: string;
  readonly code: string;
}

/** How a device's WGSL spells matrix operations, and whether on arrays of vec4. */
export interface Spelling {
  readonly form: MatrixForm;
  readonly vectors: boolean;
}

/** All that are known. */
export const SPELLINGS: readonly Spelling[] = [
  { form: "tint-new", vectors: true },
  { form: "tint-new", vectors: false },
  { form: "tint-old", vectors: false },
  { form: "naga", vectors: false },
];

/** Words of which a compiler refuses those of earlier spellings. */
const REFUSED: Readonly<Record<MatrixForm, string>> = {
  "tint-new": "no such word",
  "tint-old": "row_major",
  "naga": "no such word",
};

const CONFIG = { M: 16, N: 16, K: 16, componentType: "f16", resultComponentType: "f32" };

/** Units of this kind. */
const UNITS: Omit<MatrixUnits, keyof Spelling> = {
  directives: [],
  subgroupSize: 32,
  configs: [{ m: 16, n: 16, k: 16, operand: "f16", result: "f32" }],
};

/** A device with matrix units of this spelling that runs nothing and keeps what it compiles. */
function deviceWith({ form, vectors }: Spelling, codes: Map<string, string>): GPUDevice {
  const typical = typicalAdapter("gpu");
  const feature = form === "naga" ? MATRIX_FEATURES.wgpu : MATRIX_FEATURES.dawn;
  const refused = vectors ? [REFUSED[form]] : [REFUSED[form], "array<vec4<f16>, 64>"];
  let error: { message: string } | null = null;
  return standIn<GPUDevice>({
    ...nullDevice(typical),
    adapterInfo: Object.assign({ ...typical.adapterInfo }, { subgroupMatrixConfigs: [CONFIG] }),
    // As much as an NVIDIA H200 has: the largest tile fits.
    limits: { ...typical.limits, maxComputeWorkgroupStorageSize: 49152 },
    features: new Set([...typical.features, feature]),
    createShaderModule: ({ label = "", code }: GPUShaderModuleDescriptor) => {
      if (refused.some((word) => code.includes(word))) error = { message: "no such word" };
      codes.set(label, code);
      return {};
    },
    popErrorScope: () => {
      const found = error;
      error = null;
      return Promise.resolve(found);
    },
  });
}

/** The kernel that measures matrix units, in this spelling. */
export async function roofText(spelling: Spelling): Promise<string> {
  const codes = new Map<string, string>();
  const gpu = await Gpu.open({ device: deviceWith(spelling, codes) });
  const [operations] = unitOperations({ ...spelling, ...UNITS });
  const { kernel } = matrixRoof(operations, { side: 4, rounds: 2 });
  using scope = gpu.scope();
  const x = scope.tensor("x", [1, 4], undefined, "f16");
  const y = scope.tensor("y", [kernel.workgroupSize, 4]);
  await scope.trace("roof", (trace) => {
    trace.run(kernel, { reads: { x }, writes: { y }, dims: {}, workgroups: 1 });
  });
  gpu.destroy();
  return codes.get(kernel.name) ?? "";
}

/** The kernels of all tiles and directions, with slices within a tap and across taps. */
export async function matrixTexts(spelling: Spelling): Promise<MatrixText[]> {
  const codes = new Map<string, string>();
  const texts: MatrixText[] = [];
  const device = deviceWith(spelling, codes);
  for (const tile of MATRIX_TILES) {
    const preset = { ...GPU, convolution: { ...GPU.convolution, matrices: { tiles: [tile] } } };
    const gpu = await Gpu.open({ device, preset });
    const units = gpu.matrixUnits;
    if (units?.form !== spelling.form || units.vectors !== spelling.vectors) {
      throw new Error(`found ${JSON.stringify(units)}`);
    }
    // What a null device computes is zero, and so does not convince.
    useMatrices(gpu, unitOperations(units)[0]);
    using scope = gpu.scope();
    for (const [inputs, outputs] of [[64, 7], [5, 64]]) {
      const image = { shape: [2, 9, 9, inputs] };
      const filter = { shape: [3, 3, inputs, outputs] };
      const g = geometry("conv2d", image, filter, { stride: 2, padding: 1 });
      const shapes = operandShapes(g);
      const operands = {
        x: scope.tensor("x", shapes.x, undefined, "f16"),
        w: scope.tensor("w", shapes.w),
        y: scope.tensor("y", shapes.y, undefined, "f16"),
      };
      for (const direction of ["forward", "input gradient", "weight gradient"] as const) {
        codes.clear();
        const work = { direction, geometry: g, precision: "mixed" } as const;
        await scope.trace(direction, (trace) => recordWork(trace, work, operands), {
          precision: "mixed",
        });
        for (const [name, code] of codes) {
          if (name.includes(tile.name)) texts.push({ direction, name, code });
        }
      }
    }
    gpu.destroy();
  }
  return texts;
}
