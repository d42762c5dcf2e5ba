/**
 * How a kernel reads a tensor:
 * - `bulk`: vec4 by vec4, through a texture where the adapter loads textures faster than buffers;
 * - `small`: vec4 by vec4 from its buffer: a tensor too small to be worth a texture;
 * - `channel`: one vec4 per four channels, as a uniform (at most {@link CHANNEL_QUADS} of them);
 * - `u32`, `f32`: single words of a buffer.
 */
export type Read = "bulk" | "small" | "channel" | "u32" | "f32";

/** How a kernel writes a tensor. `update` is a bulk tensor that is read and written in place. */
export type Write = "bulk" | "update" | "f32" | "u32";

/** The longest per-channel tensor, in vec4. */
export const CHANNEL_QUADS = 1024;

/** Bits of the column in the index of a texel. */
const MIRROR_SHIFT = 11;

/** Texels in a row of a mirror. */
export const MIRROR_WIDTH: number = 1 << MIRROR_SHIFT;

/** The format of a mirror. */
export const MIRROR_FORMAT = "rgba32float";

/**
 * A compute kernel. `wgsl` defines `fn main(workgroup: u32, lane: u32)`, the work of one workgroup
 * out of `dims.workgroups`. The rest is declared for it: for each bulk, small or channel operand `x` a
 * function `x(i)` that loads its i-th vec4, for each word operand the array `x`, for each bulk or
 * updated result `y` a function `set_y(i, value)`, and a uniform `dims` with the named numbers.
 */
export interface Kernel<
  R extends string = string,
  W extends string = string,
  D extends string = string,
> {
  /** What errors and profiles call it. */
  readonly name: string;
  /** Invocations of a workgroup, in one dimension. */
  readonly workgroupSize: number;
  /** Whether a workgroup is one subgroup, whose lanes hand values to one another. */
  readonly subgroup?: boolean;
  /** Tensors that are read, by their names in the WGSL. */
  readonly reads: Readonly<Record<R, Read>>;
  /** Tensors that are written, by their names in the WGSL. */
  readonly writes: Readonly<Record<W, Write>>;
  /** Numbers that differ from run to run, as `dims.name` in the WGSL. */
  readonly dims: Readonly<Record<D, "u32" | "i32" | "f32">>;
  /** `fn main` and what it calls. */
  readonly wgsl: string;
}

/** States a kernel; only infers its names. */
export function defineKernel<
  const R extends string,
  const W extends string,
  const D extends string,
>(kernel: Kernel<R, W, D>): Kernel<R, W, D> {
  return kernel;
}

/** Where bulk operands are loaded from. */
export type Loads = "buffer" | "texture";

/** One binding of an assembled kernel, in order of its index. */
export interface Binding {
  /** The operand, or `dims`. */
  readonly name: string;
  /** Storage buffer that is read, texture, uniform buffer, or storage buffer that is written. */
  readonly kind: "read" | "mirror" | "uniform" | "write";
}

/** A kernel as a whole WGSL module. */
export interface Assembled {
  /** WGSL with the entry point `entry`. */
  readonly code: string;
  /** The bindings of group 0. */
  readonly bindings: readonly Binding[];
}

const ENTRY = /* wgsl */ `
@compute @workgroup_size(WORKGROUP_SIZE)
fn entry(
  @builtin(workgroup_id) id: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(LANE) lane: u32,
) {
  FIRSTS
  let step = grid.x * grid.y;
  for (var workgroup = id.x + id.y * grid.x; workgroup < dims.workgroups; workgroup += step) {
    main(workgroup, lane);
  }
}`;

/** The number in dims that says at which texel of its texture a mirrored operand begins. */
function firstOf(name: string): string {
  return `${name}_first`;
}

function mirrored(name: string, index: number): string {
  const mask = MIRROR_WIDTH - 1;
  return `@group(0) @binding(${index}) var ${name}_texels: texture_storage_2d<${MIRROR_FORMAT}, read>;
var<private> ${firstOf(name)}: u32;
fn ${name}(i: u32) -> vec4f {
  let at = i + ${firstOf(name)};
  return textureLoad(${name}_texels, vec2u(at & ${mask}u, at >> ${MIRROR_SHIFT}u));
}`;
}

function declareRead(name: string, read: Read, loads: Loads, index: number): [string, Binding] {
  const at = `@group(0) @binding(${index})`;
  if (read === "bulk" && loads === "texture") {
    return [mirrored(name, index), { name, kind: "mirror" }];
  }
  if (read === "channel") {
    return [
      `${at} var<uniform> ${name}_quads: array<vec4f, ${CHANNEL_QUADS}>;
fn ${name}(i: u32) -> vec4f { return ${name}_quads[i]; }`,
      { name, kind: "uniform" },
    ];
  }
  const code = read === "bulk" || read === "small"
    ? `${at} var<storage, read> ${name}_quads: array<vec4f>;
fn ${name}(i: u32) -> vec4f { return ${name}_quads[i]; }`
    : `${at} var<storage, read> ${name}: array<${read}>;`;
  return [code, { name, kind: "read" }];
}

function declareWrite(
  name: string,
  write: Write,
  loads: Loads,
  index: number,
): [string, Binding][] {
  const at = `@group(0) @binding(${index})`;
  const binding: Binding = { name, kind: "write" };
  if (write === "f32" || write === "u32") {
    return [[`${at} var<storage, read_write> ${name}: array<${write}>;`, binding]];
  }
  const set = `${at} var<storage, read_write> ${name}_out: array<vec4f>;
fn set_${name}(i: u32, value: vec4f) { ${name}_out[i] = value; }`;
  if (write === "bulk") return [[set, binding]];
  if (loads === "texture") {
    return [[set, binding], [mirrored(name, index + 1), { name, kind: "mirror" }]];
  }
  return [[`${set}\nfn ${name}(i: u32) -> vec4f { return ${name}_out[i]; }`, binding]];
}

/** The whole module of a kernel: declarations, the kernel's own text, the entry point `entry`. */
export function assemble(kernel: Kernel, loads: Loads): Assembled {
  const declared: [string, Binding][] = [];
  for (const [name, read] of Object.entries(kernel.reads)) {
    declared.push(declareRead(name, read, loads, declared.length));
  }
  for (const [name, write] of Object.entries(kernel.writes)) {
    declared.push(...declareWrite(name, write, loads, declared.length));
  }
  const firsts = declared.flatMap(([, { name, kind }]) => kind === "mirror" ? [firstOf(name)] : []);
  const fields = [
    ...Object.entries(kernel.dims).map(([name, type]) => `${name}: ${type}, `),
    ...firsts.map((first) => `${first}: u32, `),
  ].join("");
  const dims = `struct Dims { workgroups: u32, ${fields}}
@group(0) @binding(${declared.length}) var<uniform> dims: Dims;`;
  const entry = ENTRY.replace("WORKGROUP_SIZE", String(kernel.workgroupSize))
    .replace("FIRSTS", firsts.map((first) => `${first} = dims.${first};`).join(" "))
    .replace("LANE", kernel.subgroup ? "subgroup_invocation_id" : "local_invocation_index");
  return {
    code: [...declared.map(([code]) => code), dims, kernel.wgsl, entry].join("\n"),
    bindings: [...declared.map(([, binding]) => binding), { name: "dims", kind: "uniform" }],
  };
}
