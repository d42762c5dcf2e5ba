import { DataError } from "../../data/error.ts";
import { printable } from "../../data/printable.ts";
import { recordParts } from "../../kernels/ops/guard_step.ts";
import type { Tensor } from "../../kernels/gpu/tensor.ts";
import type { Program } from "../../kernels/program/program.ts";
import type { Scope } from "../../kernels/program/scope.ts";
import type { Parameters } from "../../nn/parameters.ts";
import { notFinite } from "../../nn/wrong_value.ts";
import type { Stateful } from "./stateful.ts";
import type { StateTensors, TrainingState } from "./training_state.ts";

/** Bytes up to which all tensors are read at once: more is read one by one, to hold less memory. */
const AT_ONCE = 1 << 26;

/** Values that are no numbers. */
export interface WrongValue {
  /** The tensor, by its name in a training state. */
  readonly name: string;
  /** NaN, or infinite. */
  readonly found: number;
}

/** What is read of a run at some step. */
export interface Snapshot {
  readonly tensors: StateTensors;
  readonly numbers: Readonly<Record<string, number>>;
  /** A tensor that holds what is no number, if one does. */
  readonly wrong?: WrongValue;
}

interface Group {
  readonly name: string;
  readonly of: Parameters;
}

/** Reads all that a run goes on from, and writes it back. */
export class Snapshots {
  readonly #scope: Scope;
  readonly #parts: readonly Stateful[];
  readonly #groups: readonly Group[];
  readonly #singles: readonly (readonly [string, Tensor])[];
  readonly #check: Program;
  /** For each group, how many of its words are no numbers, in parts `[n, 4]`. */
  readonly #wrong: readonly Tensor[];

  private constructor(scope: Scope, parts: readonly Stateful[], traced: {
    groups: readonly Group[];
    check: Program;
    wrong: readonly Tensor[];
  }) {
    this.#scope = scope;
    this.#parts = parts;
    this.#groups = traced.groups;
    this.#singles = parts.flatMap(({ singles = {} }) => Object.entries(singles));
    this.#check = traced.check;
    this.#wrong = traced.wrong;
  }

  /** Traces what looks for values that are no numbers in parts of a run. */
  static async trace(scope: Scope, parts: readonly Stateful[]): Promise<Snapshots> {
    const groups = parts.flatMap(({ groups }) =>
      Object.entries(groups).map(([name, of]) => ({ name, of }))
    );
    const wrong: Tensor[] = [];
    const check = await scope.trace("look for wrong values", (trace) => {
      for (const { of } of groups) wrong.push(trace.keep(recordParts(trace, of.flat, "small")));
    });
    return new Snapshots(scope, parts, { groups, check, wrong });
  }

  /** What looks for values that are no numbers. */
  get program(): Program {
    return this.#check;
  }

  /** What it has on the GPU besides the program. */
  get own(): readonly Tensor[] {
    return this.#wrong;
  }

  /** Reads all tensors; waits for all submitted. */
  async take(): Promise<Snapshot> {
    this.#check.replay();
    const flats = this.#groups.map(({ of }) => of.flat);
    const all = [...this.#wrong, ...flats, ...this.#singles.map(([, tensor]) => tensor)];
    const bytes = all.reduce((sum, tensor) => sum + tensor.bytes, 0);
    const { gpu } = this.#scope;
    const read: (Float32Array | Uint32Array)[] = [];
    if (bytes <= AT_ONCE) read.push(...await gpu.read(all));
    else for (const tensor of all) read.push(...await gpu.read([tensor]));
    const tensors = new Map<string, Float32Array | Uint32Array>();
    let wrong: WrongValue | undefined;
    this.#groups.forEach(({ name, of }, i) => {
      const counts = read[i].some((count, at) => at % 4 === 1 && count !== 0);
      const values = of.split(read[this.#wrong.length + i] as Float32Array);
      for (const [own, found] of values) {
        tensors.set(`${name}/${own}`, found);
        const none = counts && !wrong ? notFinite(found) : undefined;
        if (none !== undefined) wrong = { name: `${name}/${own}`, found: none };
      }
    });
    this.#singles.forEach(([name], i) => {
      const values = read[this.#wrong.length + flats.length + i];
      tensors.set(name, values);
      const none = values instanceof Float32Array ? notFinite(values) : undefined;
      if (none !== undefined) wrong ??= { name, found: none };
    });
    const numbers = Object.assign({}, ...this.#parts.map((part) => part.numbers?.()));
    return { tensors, numbers, ...wrong && { wrong } };
  }

  /**
   * Writes all tensors and numbers of a state. Raises a {@link DataError} for one that lacks some, or
   * has them in another size.
   */
  put({ tensors, numbers }: Pick<TrainingState, "tensors" | "numbers">): void {
    const optional = new Set(this.#parts.flatMap(({ optional = [] }) => optional));
    const isLeft = (name: string): boolean => optional.has(name) && !tensors.has(name);
    const singles = this.#singles.filter(([name]) => !isLeft(name));
    const wanted = [
      ...this.#groups.flatMap(({ name, of }) =>
        of.specs.map((spec) => [`${name}/${spec.name}`, spec.shape] as const)
      ),
      ...singles.map(([name, { shape }]) => [name, shape] as const),
    ];
    for (const [name, shape] of wanted) {
      const length = shape.reduce((product, d) => product * d, 1);
      const found = tensors.get(name)?.length;
      if (found === length) continue;
      throw new DataError(
        `Cannot go on from the checkpoint: wanted ${length} values of ${printable(name)}, found ` +
          `${found ?? "none"}; it is of another run`,
      );
    }
    for (const { name, of } of this.#groups) {
      const other = of.specs.find((spec) =>
        !(tensors.get(`${name}/${spec.name}`) instanceof Float32Array)
      );
      if (!other) continue;
      throw new DataError(
        `Cannot go on from the checkpoint: wanted floats as ${
          printable(`${name}/${other.name}`)
        }, ` +
          `found whole numbers; it is of another run`,
      );
    }
    for (const { name, of } of this.#groups) {
      of.load(
        new Map(of.specs.flatMap(({ name: own }) => {
          const values = tensors.get(`${name}/${own}`);
          return values instanceof Float32Array ? [[own, values] as const] : [];
        })),
      );
    }
    for (const [name, tensor] of singles) {
      this.#scope.write(tensor, tensors.get(name) ?? []);
    }
    for (const part of this.#parts) {
      for (const name of Object.keys(part.numbers?.() ?? {})) {
        if (Number.isFinite(numbers[name])) continue;
        throw new DataError(
          `Cannot go on from the checkpoint: wanted a number as ${name}, found none; it is of ` +
            `another run`,
        );
      }
      part.setNumbers?.(numbers);
    }
  }
}
