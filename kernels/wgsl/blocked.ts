/** 0, 1, …, n - 1. */
export function range(n: number): number[] {
  const numbers: number[] = [];
  for (let i = 0; i < n; i++) numbers.push(i);
  return numbers;
}

/** Joins what `f` gives for 0, 1, …, n - 1 by line breaks. */
export function unroll(n: number, f: (i: number) => string): string {
  return range(n).map(f).join("\n");
}

/** Names of the components of a vec4. */
export const COMPONENTS = "xyzw";

/** WGSL types of one to four floats. */
export const FLOATS = ["f32", "vec2f", "vec3f", "vec4f"] as const;

/**
 * WGSL for scalar(0) · vector(0) + … + scalar(n - 1) · vector(n - 1), vectors of type `of`.
 * Products are added up so before they are added to a sum: it stays in a register meanwhile, and
 * half of the rounding error of a single chain goes.
 */
export function dot(
  n: number,
  scalar: (u: number) => string,
  vector: (u: number) => string,
  of: typeof FLOATS[number] = "vec4f",
): string {
  return range(n - 1).reduceRight(
    (sum, u) => `fma(${of}(${scalar(u)}), ${vector(u)}, ${sum})`,
    `${scalar(n - 1)} * ${vector(n - 1)}`,
  );
}

/** WGSL for component `u` of `n` vec4, `name` with the numbers from `first` on. */
export function across(name: string, first: number, u: number, n = 4): string {
  const components = range(n).map((r) => `${name}${first + r}.${COMPONENTS[u]}`);
  return `${FLOATS[n - 1]}(${components.join(", ")})`;
}

/** The widest kernel whose rows of taps are unrolled. */
export const WIDEST_ROW = 7;

/**
 * Bit `tap` of a 64-bit mask, `dims.taps_low` and `dims.taps_high`, says whether the spatial mask
 * of a masked convolution keeps that tap.
 */
export const KEPT_TAPS = /* wgsl */ `
fn kept_tap(tap: u32) -> bool {
  return ((select(dims.taps_low, dims.taps_high, tap >= 32u) >> (tap & 31u)) & 1u) == 1u;
}`;

/**
 * Loads the vec4 `load(0)`, …, `load(n - 1)`, the same in all lanes of a workgroup, as `name0`, ….
 * `load` takes an index in WGSL. With `broadcast`, the number of lanes of a subgroup, each lane
 * loads its share of them and hands it to the others.
 */
export function loadShared(
  n: number,
  { name, load, broadcast }: { name: string; load: (i: string) => string; broadcast: number },
): string {
  if (!broadcast) return unroll(n, (i) => `let ${name}${i} = ${load(`${i}u`)};`);
  const share = (k: number): string => {
    const i = `lane + ${k * broadcast}u`;
    return (k + 1) * broadcast > n ? `min(${i}, ${n - 1}u)` : `(${i})`;
  };
  return [
    unroll(Math.ceil(n / broadcast), (k) => `let ${name}_share${k} = ${load(share(k))};`),
    unroll(n, (i) => {
      const k = Math.floor(i / broadcast);
      return `let ${name}${i} = subgroupBroadcast(${name}_share${k}, ${i % broadcast}u);`;
    }),
  ].join("\n");
}
