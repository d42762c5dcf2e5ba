import { median } from "../data/median.ts";
import type { Marks } from "./columns.ts";
import type { Hello, Task } from "./work.ts";

/** What came of one task with one peer: its times in milliseconds, or why there are none. */
export type Outcome =
  | {
    readonly times: readonly number[];
    /** How far its result is off, relative to its size, where that is worth saying. */
    readonly off?: number;
    /** The most memory of the device that the task took, where that is known. */
    readonly bytes?: number;
  }
  | { readonly note: string };

/** One task with all peers, this project first. */
export interface Row {
  readonly task: Task;
  readonly outcomes: readonly Outcome[];
}

/** A library of a comparison; one that is missing has the reason as its note. */
export type Compared = (Hello | { readonly name: string; readonly note: string }) & {
  readonly marks?: Marks;
};

/** What a comparison came to. */
export interface Comparison {
  /** This project first. */
  readonly peers: readonly Compared[];
  readonly rows: readonly Row[];
  readonly repeats: number;
  /** The command line after `bench peers`. */
  readonly flags: string;
}

/** The time of an outcome; none where there is a note instead. */
export function timeOf(outcome: Outcome): number | undefined {
  return "note" in outcome ? undefined : median(outcome.times);
}
