/// <reference types="@webgpu/types" />
import { DeviceLostError } from "./gpu_error.ts";

/** Subgroups, as the kernels of a device may use them. */
export interface Subgroups {
  /** WGSL directives that stand before a kernel that uses them. */
  readonly directives: readonly string[];
  /** The fewest lanes that a subgroup may have. */
  readonly smallest: number;
  /** The most lanes that a subgroup may have. */
  readonly largest: number;
}

/** A product that matrix units compute: `[m, n]` results from `[m, k]` and `[k, n]` operands. */
export interface MatrixConfig {
  /** Rows of the left operand and of the result. */
  readonly m: number;
  /** Columns of the right operand and of the result. */
  readonly n: number;
  /** Columns of the left operand, rows of the right one. */
  readonly k: number;
  /** The type of the elements of both operands, as WebGPU names it: `f16`, `u8`. */
  readonly operand: string;
  /** The type of the elements of the result. */
  readonly result: string;
}

/**
 * How WGSL spells the operations of matrix units:
 * - `tint-new`: Chromium's and Dawn's builtins, the order of elements a template argument,
 *   `subgroupMatrixLoad<subgroup_matrix_left<f16, 16, 16>, row_major>(&a, offset, stride)`;
 * - `tint-old`: the same until August 2026, the order an argument,
 *   `subgroupMatrixLoad<subgroup_matrix_left<f16, 16, 16>>(&a, offset, false, stride)`;
 * - `naga`: the builtins of wgpu, `coopLoadT<coop_mat16x16<f16, A>>(&a[offset], stride)`.
 */
export type MatrixForm = "tint-new" | "tint-old" | "naga";

/** Matrix units (tensor cores), as the kernels of a device may use them. */
export interface MatrixUnits {
  /** How WGSL spells their operations. */
  readonly form: MatrixForm;
  /**
   * Whether matrices are loaded from and stored to arrays of vec4, too, offsets and strides counted
   * in vec4; otherwise arrays of scalars alone.
   */
  readonly vectors: boolean;
  /** WGSL directives that stand before a kernel that uses them; `enable f16;` is among them. */
  readonly directives: readonly string[];
  /** Lanes of the subgroups that hold a matrix together. */
  readonly subgroupSize: number;
  /** The products that they compute. */
  readonly configs: readonly MatrixConfig[];
}

/** What a device offers to kernels beyond what all have, and what WGSL has to say for it. */
export interface Abilities {
  /** Subgroups; null where kernels do without. */
  readonly subgroups: Subgroups | null;
  /** Matrix units; null where kernels do without. */
  readonly matrixUnits: MatrixUnits | null;
}

/** The experimental features of matrix units: Dawn's, and wgpu's. */
export const MATRIX_FEATURES = {
  dawn: "chromium-experimental-subgroup-matrix",
  wgpu: "wgpu-cooperative-matrix",
} as const;

/** What Dawn tells of a product of matrices. */
interface DawnConfig {
  readonly M: number;
  readonly N: number;
  readonly K: number;
  readonly componentType: string;
  readonly resultComponentType: string;
}

/** `chromium_experimental_subgroup_matrix` and what goes with it. */
const TINT = [
  "enable f16;",
  "enable chromium_experimental_subgroup_matrix;",
  // Offsets depend on the subgroup, which Tint does not know to be uniform.
  "diagnostic(off, chromium.subgroup_matrix_uniformity);",
];

/** Tint does not see that what is broadcast is uniform, and control flow that follows it. */
const TINT_SUBGROUPS = ["enable subgroups;", "diagnostic(off, subgroup_uniformity);"];

const NAGA = ["enable f16;", "enable wgpu_cooperative_matrix;"];

/** wgpu does not tell its products; this one has been measured on NVIDIA's. */
const NAGA_CONFIGS: readonly MatrixConfig[] = [
  { m: 16, n: 16, k: 16, operand: "f16", result: "f32" },
];

const LEFT = "subgroup_matrix_left<f16, 16, 16>";

const SCALARS = "@group(0) @binding(0) var<storage, read> a: array<f16>;";

/** A few lines in each form; an implementation takes the first that compiles. */
const FORMS: readonly {
  readonly form: MatrixForm;
  readonly feature: string;
  readonly directives: readonly string[];
  readonly vectors: boolean;
  readonly declared: string;
  readonly load: string;
}[] = [
  {
    form: "tint-new",
    feature: MATRIX_FEATURES.dawn,
    directives: TINT,
    vectors: true,
    // As large as the matrix, which is refused where the stride counts scalars.
    declared: "var<workgroup> a: array<vec4<f16>, 64>;",
    load: `_ = subgroupMatrixLoad<${LEFT}, row_major>(&a, 0u, 4u);`,
  },
  {
    form: "tint-new",
    feature: MATRIX_FEATURES.dawn,
    directives: TINT,
    vectors: false,
    declared: SCALARS,
    load: `_ = subgroupMatrixLoad<${LEFT}, row_major>(&a, 0u, 16u);`,
  },
  {
    form: "tint-old",
    feature: MATRIX_FEATURES.dawn,
    directives: TINT,
    vectors: false,
    declared: SCALARS,
    load: `_ = subgroupMatrixLoad<${LEFT}>(&a, 0u, false, 16u);`,
  },
  {
    form: "naga",
    feature: MATRIX_FEATURES.wgpu,
    directives: NAGA,
    vectors: false,
    declared: SCALARS,
    load: "let m = coopLoadT<coop_mat16x16<f16, A>>(&a[0], 16u);",
  },
];

/** What a device can, each way of spelling it tried by compiling a few lines. */
export async function abilitiesOf(device: GPUDevice, info: GPUAdapterInfo): Promise<Abilities> {
  const subgroups = await subgroupsOf(device, info);
  return { subgroups, matrixUnits: await matrixUnitsOf(device, info) };
}

/** Subgroups of a device: naga has them without a directive, Tint only with one. */
async function subgroupsOf(
  device: GPUDevice,
  { subgroupMinSize: smallest, subgroupMaxSize: largest }: GPUAdapterInfo,
): Promise<Subgroups | null> {
  if (!device.features.has("subgroups")) return null;
  for (const directives of [[], TINT_SUBGROUPS]) {
    const code = `${directives.join("\n")}
@compute @workgroup_size(${largest})
fn entry(@builtin(subgroup_invocation_id) lane: u32) { _ = subgroupBroadcast(lane, 0u); }`;
    if (await compiles(device, "subgroups", code)) return { directives, smallest, largest };
  }
  return null;
}

async function matrixUnitsOf(
  device: GPUDevice,
  info: GPUAdapterInfo,
): Promise<MatrixUnits | null> {
  // A lane belongs to a matrix whatever the kernel, so subgroups of several sizes are no use.
  const { subgroupMinSize, subgroupMaxSize: subgroupSize } = info;
  if (subgroupMinSize !== subgroupSize || !device.features.has("shader-f16")) return null;
  // Experimental features are not among the names that the types know.
  const features = new Set<string>(device.features);
  for (const { form, feature, directives, vectors, declared, load } of FORMS) {
    if (!features.has(feature)) continue;
    const code = `${directives.join("\n")}
${declared}
@compute @workgroup_size(${subgroupSize})
fn entry() { ${load} }`;
    if (!await compiles(device, "matrix units", code)) continue;
    const configs = form === "naga" ? NAGA_CONFIGS : configsOf(info);
    return configs.length ? { form, vectors, directives, subgroupSize, configs } : null;
  }
  return null;
}

/** The products that Dawn lists; the draft of WebGPU has no name for them yet. */
function configsOf(info: GPUAdapterInfo & { subgroupMatrixConfigs?: Iterable<DawnConfig> }) {
  return [...info.subgroupMatrixConfigs ?? []].map(
    ({ M: m, N: n, K: k, componentType: operand, resultComponentType: result }): MatrixConfig => ({
      m,
      n,
      k,
      operand,
      result,
    }),
  );
}

/** Whether a device takes a module. Raises a {@link DeviceLostError} where it is lost. */
async function compiles(device: GPUDevice, label: string, code: string): Promise<boolean> {
  device.pushErrorScope("validation");
  device.createShaderModule({ label, code });
  const error = await device.popErrorScope().catch((cause) => {
    throw new DeviceLostError(String(cause), { cause });
  });
  return error === null;
}
