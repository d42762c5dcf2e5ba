/** Rows and columns of a result, and the terms of its sums. */
export interface MatrixSize {
  readonly rows: number;
  readonly columns: number;
  readonly depth: number;
}

/** Where a matrix lies in workgroup memory. */
export interface MatrixPlace {
  /** The name of an array of workgroup memory: of `f16` for operands, of `f32` for results, or vec4. */
  readonly array: string;
  /** WGSL for the index of the element at which it begins. */
  readonly at: string;
  /** Elements from one row to the next; from one column to the next where it lies by columns. */
  readonly stride: number;
  /** Whether its rows lie one behind the other, or its columns. */
  readonly order: "rows" | "columns";
}

/** An operand of {@link MatrixOperations.multiply} that has been loaded. */
export interface MatrixOperand {
  /** WGSL that loads it. */
  readonly loaded: string;
  /** Its name. */
  readonly name: string;
  /** Where it was loaded from; that memory stays as it is as long as the operand is used. */
  readonly place: MatrixPlace;
}

/**
 * The four operations on matrices that kernels are made of, in WGSL: zero, load, multiply and add,
 * store. The lanes of a subgroup hold a matrix together and do each operation together. Operands are
 * half floats, sums are float32.
 */
export interface MatrixOperations {
  /** Whether they are done by the device's matrix units. */
  readonly matrixUnits: boolean;
  /** The size of results and operands. */
  readonly size: MatrixSize;
  /** Whether the elements of arrays are vec4, or scalars. */
  readonly vectors: boolean;
  /** Lanes that hold a matrix together. */
  readonly lanes: number;
  /** Whether sums are told apart by their names alone, so that loops over them are unrolled. */
  readonly unrolled: boolean;
  /** Declares `count` sums, of zeros. */
  zeros(count: number): string;
  /** The name of sum `i`: a number, or WGSL where loops are not unrolled. */
  sum(i: number | string): string;
  /** Loads the left operand, `[rows, depth]`, as `name`. */
  left(name: string, place: MatrixPlace): MatrixOperand;
  /** Loads the right operand, `[depth, columns]`, as `name`. */
  right(name: string, place: MatrixPlace): MatrixOperand;
  /** sum += left · right. */
  multiply(sum: string, left: MatrixOperand, right: MatrixOperand): string;
  /** Stores the sums `name` to an array of float32. */
  store(name: string, place: MatrixPlace): string;
  /** The most iterations of loops of one {@link multiply}, and one for leaving each loop. */
  readonly iterations: number;
}
