/** How something is: a problem ends in exit code 4. */
export type State = "ok" | "note" | "warning" | "problem";

/** One line of what the doctor says. */
export interface Finding {
  readonly section: string;
  readonly name: string;
  readonly state: State;
  /** What was found. */
  readonly found: string;
  /** What to do, where there is something. */
  readonly cure?: string;
}
