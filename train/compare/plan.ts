import { DataError } from "../../data/error.ts";
import { printable } from "../../data/printable.ts";
import type { Workload } from "../estimate.ts";
import type { TrainingState } from "../resume/training_state.ts";
import type { Ground, Method } from "./method.ts";
import { folderOf, placeOf, type Row, rowsOf, withNeeds } from "./methods.ts";

/** How much work a run is. */
interface Works {
  /** Its training. */
  readonly training: readonly Workload[];
  /** What comes before it, too. */
  readonly all: readonly Workload[];
}

/** What is compared: methods, each with so many seeds. */
export interface Compared {
  /** The names of the methods, in any order. */
  readonly methods: readonly string[];
  /** The first seed. */
  readonly seed: number;
  readonly seeds: number;
}

/** The runs that have ended where a comparison goes on from a state. */
export function endedBefore({ run: { ended }, phase }: TrainingState): readonly string[] {
  if (ended) return ended;
  throw new DataError(
    `Cannot go on with the comparison: wanted a checkpoint that names the runs that have ended, ` +
      `found one of ${printable(phase)} without, as of another command or release; compare anew`,
  );
}

/** The runs of a comparison, and which of them have ended. */
export class Plan {
  /** All that are trained, in their order. */
  readonly methods: readonly Method[];
  /** The rows of its table. */
  readonly rows: readonly Row[];
  readonly #compared: Compared;
  readonly #ended = new Set<string>();
  readonly #works = new Map<Method, Works>();

  /** Raises a {@link DataError} for a state that is not of one of the runs. */
  constructor(compared: Compared, from?: TrainingState) {
    this.#compared = compared;
    this.methods = withNeeds(compared.methods);
    this.rows = rowsOf(compared.methods);
    if (!from) return;
    const place = placeOf(from.phase);
    const isOne = place && this.methods.includes(place.method) && this.seeds.includes(place.seed);
    if (!isOne) {
      throw new DataError(
        `Cannot go on with the comparison: wanted the checkpoint of one of its runs, found one of ` +
          printable(from.phase),
      );
    }
    for (const folder of endedBefore(from)) this.#ended.add(folder);
  }

  /** All seeds. */
  get seeds(): number[] {
    const { seed, seeds } = this.#compared;
    return Array.from({ length: seeds }, (_, i) => seed + i);
  }

  /** The folders of the runs that have ended. */
  get ended(): readonly string[] {
    return [...this.#ended];
  }

  /** Whether a run has ended. */
  hasEnded({ name }: Method, seed: number): boolean {
    return this.#ended.has(folderOf(name, seed));
  }

  /** Takes note that the run of a state has ended. */
  endOf({ phase }: Pick<TrainingState, "phase">): void {
    this.#ended.add(phase);
  }

  /** Takes note that a run has ended. */
  end({ name }: Method, seed: number): void {
    this.#ended.add(folderOf(name, seed));
  }

  /** Whether another method starts from the networks of this one. */
  isNeeded(method: Method): boolean {
    return this.methods.some(({ needs }) => needs?.includes(method));
  }

  /** What is being trained, in words: `seed 1 (2/3)  adjoined (5/6)`. */
  words(method: Method, seed: number): string {
    const { methods, seeds } = this;
    const nth = `${seeds.indexOf(seed) + 1}/${seeds.length}`;
    return `seed ${seed} (${nth})  ${method.name} (${
      methods.indexOf(method) + 1
    }/${methods.length})`;
  }

  #worksOf(method: Method, ground: Ground): Works {
    const known = this.#works.get(method);
    if (known) return known;
    const named = (of: string, works: readonly Workload[]): Workload[] =>
      works.map((work) => ({ ...work, of }));
    const training = named(method.name, method.work(ground));
    const { before } = method;
    const all = [...before ? named(before.name, before.work(ground)) : [], ...training];
    const works = { training, all };
    this.#works.set(method, works);
    return works;
  }

  /** Raises an error where what a method does is not possible. */
  check(ground: Ground): void {
    for (const method of this.methods) this.#worksOf(method, ground);
  }

  /** The work of a run and of all after it that have not ended; all seeds have as much. */
  worksFrom(method: Method, seed: number, ground: Ground): readonly [Works, ...Works[]] {
    const places = this.seeds.flatMap((seed) => this.methods.map((method) => ({ method, seed })));
    const at = places.findIndex((place) => place.method === method && place.seed === seed);
    const later = places.slice(at + 1).filter(({ method, seed }) => !this.hasEnded(method, seed));
    return [
      this.#worksOf(method, ground),
      ...later.map(({ method }) => this.#worksOf(method, ground)),
    ];
  }
}
