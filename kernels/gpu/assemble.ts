import { CHANNEL_QUADS, type Kernel, type Loads, type Read, type Write } from "./kernel.ts";
import { TEXTURE_FORMAT, TEXTURE_SHIFT, TEXTURE_WIDTH } from "./texture.ts";
import { entryPoint, QUEUE } from "./work_queue.ts";

/** One binding of an assembled kernel, in order of its index. */
export interface Binding {
  /** The operand, or `dims`. */
  readonly name: string;
  /**
   * Storage buffer that is read or written, uniform buffer, texture that is loaded from or stored
   * to, work queue.
   */
  readonly kind: "read" | "write" | "uniform" | "load" | "store" | "queue";
}

/** A kernel as a whole WGSL module. */
export interface Assembled {
  /** The name of the kernel. */
  readonly name: string;
  /** WGSL with the entry point `entry`. */
  readonly code: string;
  /** The bindings of group 0. */
  readonly bindings: readonly Binding[];
}

/** A declaration: WGSL but for its place among the bindings, and what is bound there. */
interface Declared {
  readonly variable: string;
  readonly functions?: string;
  readonly binding: Binding;
}

/**
 * How an operand is declared: where bulk ones are loaded from, whether it holds half floats, and
 * whether bulk ones are accessed in pairs of vec4.
 */
interface DeclaredAs {
  readonly loads: Loads;
  readonly half: boolean;
  readonly pairs: boolean;
}

/** The number in dims that says at which texel of its texture an operand begins. */
function firstOf(name: string): string {
  return `${name}_first`;
}

/** Names `texel`, the place of vec4 i of an operand in its texture. */
function texel(name: string): string {
  return /* wgsl */ `
  let at = i + ${firstOf(name)};
  let texel = vec2u(at & ${TEXTURE_WIDTH - 1}u, at >> ${TEXTURE_SHIFT}u);`;
}

function loaded(name: string): Declared {
  return {
    variable: `var ${name}_loads: texture_storage_2d<${TEXTURE_FORMAT}, read>;`,
    functions: /* wgsl */ `
fn ${name}(i: u32) -> vec4f {${texel(name)}
  return textureLoad(${name}_loads, texel);
}`,
    binding: { name, kind: "load" },
  };
}

function stored(name: string): Declared {
  return {
    variable: `var ${name}_stores: texture_storage_2d<${TEXTURE_FORMAT}, write>;`,
    functions: /* wgsl */ `
fn set_${name}(i: u32, value: vec4f) {${texel(name)}
  textureStore(${name}_stores, texel, value);
}`,
    binding: { name, kind: "store" },
  };
}

/** How a vec4 lies in a buffer, and how the vec4f that kernels compute with comes from and to it. */
interface Element {
  readonly element: string;
  readonly load: (quad: string) => string;
  readonly store: (value: string) => string;
}

const FULL: Element = { element: "vec4f", load: (quad) => quad, store: (value) => value };
const HALF: Element = {
  element: "vec4<f16>",
  load: (quad) => `vec4f(${quad})`,
  store: (value) => `vec4<f16>(${value})`,
};

/** A pair of vec4 of half floats as 16 bytes. */
const PAIR = "vec4<u32>";

function pairRead(name: string, half: boolean): Declared {
  const vec4 = (low: string, high: string): string =>
    `vec4f(unpack2x16float(pair.${low}), unpack2x16float(pair.${high}))`;
  const [element, load] = half
    ? [PAIR, `let pair = ${name}_pairs[i];\n  return array(${vec4("x", "y")}, ${vec4("z", "w")});`]
    : ["vec4f", `return array(${name}_pairs[2u * i], ${name}_pairs[2u * i + 1u]);`];
  return {
    variable: `var<storage, read> ${name}_pairs: array<${element}>;`,
    functions: `fn ${name}_pair(i: u32) -> array<vec4f, 2> {\n  ${load}\n}`,
    binding: { name, kind: "read" },
  };
}

function pairWrite(name: string, half: boolean): Declared {
  // Rounded as elsewhere, by a conversion: how packing rounds differs between implementations.
  const packed = (halves: string, two: string): string => `pack2x16float(vec2f(${halves}.${two}))`;
  const [element, store] = half
    ? [
      PAIR,
      `let a = vec4<f16>(first); let b = vec4<f16>(second);
  ${name}_pairs[i] = vec4u(${packed("a", "xy")}, ${packed("a", "zw")}, ${packed("b", "xy")}, ${
        packed("b", "zw")
      });`,
    ]
    : ["vec4f", `${name}_pairs[2u * i] = first; ${name}_pairs[2u * i + 1u] = second;`];
  return {
    variable: `var<storage, read_write> ${name}_pairs: array<${element}>;`,
    functions: `fn set_${name}_pair(i: u32, first: vec4f, second: vec4f) { ${store} }`,
    binding: { name, kind: "write" },
  };
}

function declareRead(name: string, read: Read, { loads, half, pairs }: DeclaredAs): Declared {
  if (pairs && read === "bulk") return pairRead(name, half);
  if (read === "bulk" && loads === "texture" && !half) return loaded(name);
  if (read === "u32" || read === "f32") {
    return {
      variable: `var<storage, read> ${name}: array<${read}>;`,
      binding: { name, kind: "read" },
    };
  }
  const { element, load } = half ? HALF : FULL;
  const quad = `${name}_quads[i]`;
  const functions = read === "half"
    ? `fn ${name}(i: u32) -> vec4<f16> { return ${half ? quad : `vec4<f16>(${quad})`}; }`
    : `fn ${name}(i: u32) -> vec4f { return ${load(quad)}; }`;
  return read === "channel"
    ? {
      variable: `var<uniform> ${name}_quads: array<vec4f, ${CHANNEL_QUADS}>;`,
      functions,
      binding: { name, kind: "uniform" },
    }
    : {
      variable: `var<storage, read> ${name}_quads: array<${element}>;`,
      functions,
      binding: { name, kind: "read" },
    };
}

function declareWrite(
  name: string,
  write: Write,
  { loads, half, pairs }: DeclaredAs,
): Declared[] {
  if (pairs && write === "bulk") return [pairWrite(name, half)];
  const binding: Binding = { name, kind: "write" };
  if (write === "f32" || write === "u32") {
    return [{ variable: `var<storage, read_write> ${name}: array<${write}>;`, binding }];
  }
  const { element, load, store } = half ? HALF : FULL;
  const variable = `var<storage, read_write> ${name}_out: array<${element}>;`;
  const set = `fn set_${name}(i: u32, value: vec4f) { ${name}_out[i] = ${store("value")}; }`;
  if (write === "bulk") return [{ variable, functions: set, binding }];
  if (loads === "texture" && !half) return [{ variable, functions: set, binding }, loaded(name)];
  const get = `fn ${name}(i: u32) -> vec4f { return ${load(`${name}_out[i]`)}; }`;
  return [{ variable, functions: `${set}\n${get}`, binding }];
}

/** Options of {@link assemble}. */
export interface Assembly {
  /** The memory that bulk operands are loaded from. */
  readonly loads: Loads;
  /** The results that are stored in textures, by name. */
  readonly textured: readonly string[];
  /** The operands that hold half floats, by name. */
  readonly halves: readonly string[];
  /** Whether half floats are accessed in pairs of vec4, by the `wide` text of the kernel. */
  readonly wide: boolean;
  /** Whether workgroups take their work from the queue. */
  readonly queued: boolean;
  /** WGSL directives of the implementation that the kernel needs. */
  readonly directives: readonly string[];
}

/** The whole module of a kernel: declarations, the kernel's own text, the entry point `entry`. */
export function assemble(
  kernel: Kernel,
  { loads, textured, halves, wide, queued, directives }: Assembly,
): Assembled {
  const pairs = wide && kernel.wide !== undefined;
  const as = (name: string): DeclaredAs => ({ loads, half: halves.includes(name), pairs });
  const reads = Object.entries(kernel.reads).map(([name, read]) =>
    declareRead(name, read, as(name))
  );
  const writes = Object.entries(kernel.writes).flatMap(([name, write]) =>
    textured.includes(name) ? stored(name) : declareWrite(name, write, as(name))
  );
  const queue: Declared[] = queued
    ? [{ variable: QUEUE, binding: { name: "queue", kind: "queue" } }]
    : [];
  const declared = [...reads, ...writes, ...queue];
  const firsts = declared.flatMap(({ binding: { name, kind } }) =>
    kind === "load" || kind === "store" ? [firstOf(name)] : []
  );
  const fields = [
    ...Object.entries(kernel.dims).map(([name, type]) => `${name}: ${type}, `),
    ...firsts.map((first) => `${first}: u32, `),
  ].join("");
  const variables = [...declared.map(({ variable }) => variable), "var<uniform> dims: Dims;"];
  const { workgroupSize, subgroup = false } = kernel;
  const narrow = halves.length > 0 || Object.values(kernel.reads).includes("half");
  const before = firsts.map((first) => `${first} = dims.${first};`).join(" ");
  return {
    name: kernel.name,
    code: [
      ...new Set([...narrow ? ["enable f16;"] : [], ...directives]),
      `struct Dims { workgroups: u32, ${fields}}`,
      ...variables.map((variable, i) => `@group(0) @binding(${i}) ${variable}`),
      ...firsts.map((first) => `var<private> ${first}: u32;`),
      ...declared.map(({ functions }) => functions ?? ""),
      pairs ? kernel.wide : kernel.wgsl,
      entryPoint({ workgroupSize, subgroup, queued, before }),
    ].join("\n"),
    bindings: [...declared.map(({ binding }) => binding), { name: "dims", kind: "uniform" }],
  };
}
