import type { Reading } from "./reading.ts";
import type { Step } from "./step.ts";
import type { FileValue } from "./value.ts";

/**
 * How an operator is read: adds layers, and gives the value that it makes; several, where a node has
 * several outputs. Refuses what it cannot read.
 */
export type Operator = (step: Step, reading: Reading) => FileValue | readonly FileValue[];

/** Operators by their names, or those of patterns. */
export type Operators = Readonly<Record<string, Operator>>;
