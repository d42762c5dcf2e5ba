import { unroll } from "../wgsl/blocked.ts";
import type { MatrixOperand, MatrixOperations, MatrixPlace, MatrixSize } from "./operations.ts";

/** The size that matrix units of NVIDIA have, and most others. */
const SIZE: MatrixSize = { rows: 16, columns: 16, depth: 16 };

/** The lanes of a subgroup that is not one: any 32 invocations that follow one another. */
const LANES = 32;

/**
 * WGSL for the rounds of a loop, of which compilers cannot tell that they are always as many: they
 * would write the loop out, and take half as long again.
 */
export function hiddenRounds(rounds: number): string {
  return `min(${rounds}u, dims.workgroups + ${rounds}u)`;
}

/**
 * Matrix operations without matrix units, by ordinary loops over workgroup memory: for adapters that
 * have none, so that the kernels made of them can be tried there. Each lane holds some columns of one
 * row. The order of sums is that of the terms.
 */
export function emulatedOperations(
  { vectors }: Pick<MatrixOperations, "vectors">,
): MatrixOperations {
  const { rows, columns, depth } = SIZE;
  const held = rows * columns / LANES;
  const perRow = columns / held;
  const row = `(lane % ${LANES}u / ${perRow}u)`;
  const column = `(lane % ${perRow}u * ${held}u)`;
  const element = ({ array, stride, order }: MatrixPlace, at: string, r: string, c: string) => {
    const [line, along] = order === "rows" ? [r, c] : [c, r];
    const first = `${at} + ${line} * ${stride}u`;
    return vectors
      ? `${array}[${first} + (${along}) / 4u][(${along}) % 4u]`
      : `${array}[${first} + ${along}]`;
  };
  // Nothing is held of an operand but where it is.
  const placed = (name: string, place: MatrixPlace): MatrixOperand => ({
    loaded: `let ${name} = ${place.at};`,
    name,
    place,
  });
  return {
    matrixUnits: false,
    size: SIZE,
    vectors,
    lanes: LANES,
    unrolled: false,
    zeros: (count) => `var sums: array<array<f32, ${held}>, ${count}>;`,
    sum: (i) => `sums[${i}]`,
    left: placed,
    right: placed,
    multiply: (sum, left, right) =>
      `for (var k = 0u; k < ${hiddenRounds(depth)}; k++) {
      let factor = f32(${element(left.place, left.name, row, "k")});
      ${
        unroll(held, (j) =>
          `${sum}[${j}] = fma(factor, f32(${
            element(right.place, right.name, "k", `(${column} + ${j}u)`)
          }), ${sum}[${j}]);`)
      }
    }`,
    store: (name, place) =>
      unroll(
        held,
        (j) => `${element(place, place.at, row, `(${column} + ${j}u)`)} = ${name}[${j}];`,
      ),
    iterations: depth + 1,
  };
}
