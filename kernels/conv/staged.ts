/** An array of vec4, of floats or half floats, in workgroup memory, by named indices. */
export interface Staged<I extends string> {
  /** Its declaration in WGSL. */
  readonly declared: string;
  /** Its size in elements. */
  readonly quads: number;
  /** WGSL for one of its elements; each index is WGSL for a number below its extent. */
  at(index: Readonly<Record<I, string>>): string;
}

/** The type of an element. */
export type Element = "vec4f" | "vec4<f16>";

/**
 * Makes an array in workgroup memory: arrays of arrays, the first index outermost. Compilers check
 * each index that is no constant against its extent; those of a lane are checked once, and what is
 * left of an address is a constant.
 */
export function stagedArray<const I extends string>(
  name: string,
  extents: Readonly<Record<I, number>>,
  element: Element = "vec4f",
): Staged<I> {
  const names = Object.keys(extents) as I[];
  const sizes = names.map((index) => extents[index]);
  const type = sizes.reduceRight<string>((inner, size) => `array<${inner}, ${size}>`, element);
  return {
    declared: `var<workgroup> ${name}: ${type};`,
    quads: sizes.reduce((product, size) => product * size, 1),
    at: (index) => name + names.map((each) => `[${index[each]}]`).join(""),
  };
}
