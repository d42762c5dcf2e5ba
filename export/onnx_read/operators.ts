import { printable } from "../../data/printable.ts";
import { ACTIVATIONS } from "./activations.ts";
import { CHANNELS } from "./channels.ts";
import { CONVOLUTIONS } from "./convolutions.ts";
import { KNOWN } from "./known.ts";
import { NORMS } from "./norms.ts";
import type { Operators } from "./operator.ts";
import { POOLS } from "./pools.ts";
import type { Reading } from "./reading.ts";
import { SHAPES } from "./shapes.ts";
import type { Step } from "./step.ts";
import { SUMS } from "./sums.ts";

/** All operators that are read, and patterns of several nodes, which begin with a small letter. */
export const OPERATORS: Operators = {
  ...CONVOLUTIONS,
  ...NORMS,
  ...ACTIVATIONS,
  ...SUMS,
  ...POOLS,
  ...CHANNELS,
  ...SHAPES,
};

/** Adds what a step of the graph makes. Raises a `NodeError`, or what the builder raises. */
export function readStep(step: Step, reading: Reading): void {
  const { op } = step;
  // What the file states is read where it is needed.
  if (op === "Constant") return;
  const given = step.inputs.flatMap((name, i) => name === "" ? [] : [reading.any(step, i)]);
  const areKnown = given.every(({ kind }) => kind === "constant");
  const table = areKnown ? KNOWN : OPERATORS;
  if (!Object.hasOwn(table, op)) {
    const all = Object.keys(OPERATORS).filter((name) => /^[A-Z]/.test(name)).sort();
    step.refuse(
      areKnown && Object.hasOwn(OPERATORS, op)
        ? "wanted an input that depends on the image, found constants"
        : `${printable(op)} is no operator that is read, as ${all.join(", ")} are`,
    );
  }
  const found = table[op](step, reading);
  step.finish();
  const values = Array.isArray(found) ? found : [found];
  step.node.output.forEach((name, i) => {
    if (name !== "" && values[i]) reading.keep(step, name, values[i]);
  });
}
