import type { Kernel, Read, Write } from "../gpu/kernel.ts";
import type { ElementType, Tensor } from "../gpu/tensor.ts";

/** The operands of a kernel run. */
export interface Operands<R extends string, W extends string, D extends string> {
  /** Tensors for all names in {@link Kernel.reads}. */
  readonly reads: Readonly<Record<R, Tensor>>;
  /** Tensors for all names in {@link Kernel.writes}. */
  readonly writes: Readonly<Record<W, Tensor>>;
  /** Numbers for all names in {@link Kernel.dims}. */
  readonly dims: Readonly<Record<D, number>>;
  /** Workgroups of work; the grid may be smaller. */
  readonly workgroups: number;
  /** The largest grid, whose workgroups then do several in turn; without it one for each is started. */
  readonly grid?: number;
  /**
   * Floating-point operations of the run, two to a multiply-accumulate, for profiles. Default: one
   * for each element of the largest operand.
   */
  readonly flops?: number;
  /**
   * The elements, padding included, of operands of which the run touches only a part, for profiles.
   * Default: all of them, once; those of an `update` are read and written.
   */
  readonly touched?: Readonly<Partial<Record<R | W, number>>>;
}

/** All tensors that a kernel is run on. */
export function operandsOf(
  { reads, writes }: Pick<Operands<string, string, string>, "reads" | "writes">,
): Tensor[] {
  return [...Object.values(reads), ...Object.values(writes)];
}

/** Whether an operand that is accessed so may hold half floats: by functions, vec4 by vec4. */
export function takesHalves(kind: Read | Write): boolean {
  return kind === "bulk" || kind === "small" || kind === "half" || kind === "update";
}

/**
 * Raises a `TypeError` for a tensor that is missing or of another type than the kernel takes, and a
 * `RangeError` for no workgroups.
 */
export function demandOperands(
  { name, reads, writes }: Kernel,
  operands: Operands<string, string, string>,
): void {
  const kinds: [string, Read | Write, Tensor | undefined][] = [
    ...Object.entries(reads).map((
      [operand, kind],
    ): [string, Read, Tensor | undefined] => [operand, kind, operands.reads[operand]]),
    ...Object.entries(writes).map((
      [operand, kind],
    ): [string, Write, Tensor | undefined] => [operand, kind, operands.writes[operand]]),
  ];
  for (const [operand, kind, tensor] of kinds) {
    if (!tensor) throw new TypeError(`Cannot run kernel ${name}: it needs ${operand}`);
    const type: ElementType = kind === "u32" ? "u32" : "f32";
    const fits = tensor.type === type || (tensor.type === "f16" && takesHalves(kind));
    if (!fits) {
      throw new TypeError(
        `Cannot run kernel ${name}: wanted ${operand} of type ${type}, found ${tensor.name} of type ` +
          `${tensor.type}`,
      );
    }
  }
  if (!(Number.isInteger(operands.workgroups) && operands.workgroups >= 1)) {
    throw new RangeError(
      `Cannot run kernel ${name}: wanted a whole number of workgroups from 1 on, found ` +
        `${operands.workgroups}`,
    );
  }
}
