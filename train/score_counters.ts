import type { ImageSet } from "../data/dataset.ts";
import type { Scope } from "../kernels/program/scope.ts";
import type { Tensor } from "../kernels/gpu/tensor.ts";
import { classesOf } from "../nn/network.ts";
import { type ByNetwork, entriesOf, type Which } from "../nn/which.ts";
import { networksOf, type Objective } from "./objective.ts";
import type { Score } from "./types.ts";

/** The networks that are counted. */
export function counted(objective: Objective): Which[] {
  return entriesOf(networksOf(objective)).map(([which]) => which);
}

/** Accuracy and loss of the networks of an objective, summed on the GPU. */
export class Counters {
  /** `[4]` for each network: images, correct, correct in the first five, loss. */
  readonly tensors: ByNetwork<Tensor> = {};
  readonly #scope: Scope;

  /** Takes memory from the scope, unless `make` gives the tensors. */
  constructor(
    scope: Scope,
    objective: Objective,
    make: (name: string) => Tensor = (name) => scope.tensor(name, [4]),
  ) {
    this.#scope = scope;
    for (const which of counted(objective)) this.tensors[which] = make(`${which} counters`);
  }

  /** All of them, base before small. */
  get list(): Tensor[] {
    return Object.values(this.tensors);
  }

  /** What the sums that were read of {@link list} come to. */
  scores(read: readonly ArrayLike<number>[]): ByNetwork<Score> {
    return Object.fromEntries(
      entriesOf(this.tensors).map(([which], i) => {
        const [images, top1, top5, loss] = Array.from(read[i]);
        return [which, { top1: top1 / images, top5: top5 / images, loss: loss / images }];
      }),
    );
  }

  /** Starts the sums afresh. */
  clear(): void {
    for (const tensor of this.list) this.#scope.write(tensor, [0, 0, 0, 0]);
  }
}

/** Raises a `TypeError` unless each network has one output for each class. */
export function demandClasses(
  objective: Objective,
  { name, classes }: Pick<ImageSet, "name" | "classes">,
): void {
  const teacher = "teacher" in objective ? { teacher: objective.teacher } : {};
  for (const [which, network] of Object.entries({ ...networksOf(objective), ...teacher })) {
    const outputs = classesOf(network);
    if (outputs === classes.length) continue;
    throw new TypeError(
      `Cannot run the ${which} network on ${name}: wanted ${classes.length} outputs, one for each ` +
        `class, found ${outputs}; give its last layer as many`,
    );
  }
}
