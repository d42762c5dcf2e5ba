import type { AdapterKind } from "../kernels/gpu/device_preset.ts";
import { ops } from "../kernels/mod.ts";
import type { Case, Op } from "../kernels/op.ts";
import { printable } from "../data/printable.ts";
import { suggestion } from "../data/suggestion.ts";
import { type CaseKernel, inputOf, kernelsOfCase } from "./case_kernels.ts";
import { unusable } from "./option_value.ts";
import { plural } from "../data/words.ts";
import { columns } from "./text.ts";

/** What `wgsl` prints. */
export interface WgslOptions {
  /** The name of an op, with spaces, dashes or underscores between words, or in camelCase. */
  readonly op: string;
  /** The number of the case; with `list`, all of them unless told. */
  readonly case?: number;
  /** The preset whose kernels are printed. */
  readonly preset: AdapterKind;
  /** Only kernels with this in their names. */
  readonly kernel?: string;
  /** Names of the kernels instead of their text. */
  readonly list: boolean;
}

/** A name without what differs between its spellings. */
function bare(name: string): string {
  return name.toLowerCase().replace(/[ _-]/g, "");
}

function opNamed(name: string): Op {
  const op = ops.find((op) => bare(op.name) === bare(name));
  if (op) return op;
  const names = ops.map((op) => op.name.replaceAll(" ", "-"));
  const hint = suggestion(name, names) || `; the ops are ${names.join(", ")}`;
  throw unusable(`${printable(name)} is no op${hint}`);
}

function caseOf({ name, cases }: Op, i: number): Case<object> {
  if (i < cases.length) return cases[i];
  throw unusable(`--case is at most ${cases.length - 1} for ${name}, found ${i}`);
}

/** The shapes and the attributes of a case. */
function describeCase({ inputs, attributes }: Case<object>): string {
  const shapes = inputs.map((input) => `[${inputOf(input).shape.join(", ")}]`);
  const entries = Object.entries(attributes).map(([key, value]) =>
    `${key} ${JSON.stringify(value)}`
  );
  return [...shapes, ...entries].join(", ");
}

/** Indents WGSL by its brackets; templates leave that of the TypeScript around them. */
export function indent(code: string): string {
  let depth = 0;
  const lines = code.split("\n").map((line) => line.trim()).filter((line) => line !== "");
  return lines.map((line) => {
    const bracketed = line.replace(/\/\/.*/, "");
    const closing = bracketed.match(/^[)}]+/)?.[0].length ?? 0;
    const indented = "  ".repeat(Math.max(0, depth - closing)) + line;
    depth += (bracketed.match(/[({]/g)?.length ?? 0) - (bracketed.match(/[)}]/g)?.length ?? 0);
    return indented;
  }).join("\n");
}

/** Kernels of each text once, with how often it is run. */
function distinct(kernels: readonly CaseKernel[]): { kernel: CaseKernel; runs: number }[] {
  const byText = Map.groupBy(kernels, ({ pass, assembled }) => `${pass} ${assembled.code}`);
  return [...byText.values()].map((same) => ({ kernel: same[0], runs: same.length }));
}

function moduleText(title: string, { kernel, runs }: { kernel: CaseKernel; runs: number }): string {
  const { pass, dispatch: { kernel: { workgroupSize, subgroup }, workgroups, dims }, assembled } =
    kernel;
  const lanes = `${workgroupSize} invocations${subgroup ? " (a subgroup)" : ""}`;
  const numbers = Object.entries(dims).map(([name, value]) => `${name} ${value}`).join(", ");
  return [
    `// ${title}, ${pass}${runs > 1 ? `, run ${runs} times` : ""}: ${assembled.name}`,
    `// ${plural(workgroups, "workgroup")} of ${lanes}; ${numbers || "no dims"}`,
    indent(assembled.code),
  ].join("\n");
}

/** The kernels of all cases, a line each. */
function listText(
  op: Op,
  cases: readonly { readonly i: number; readonly kernels: readonly CaseKernel[] }[],
): string {
  return cases.map(({ i, kernels }) => {
    const rows = kernels.map(({ pass, assembled, dispatch }) => [
      `  ${pass}`,
      assembled.name,
      plural(dispatch.workgroups, "workgroup"),
    ]);
    const title = `${op.name}, case ${i}: ${describeCase(op.cases[i])}`;
    return [title, ...columns(rows, [0, 1])].join("\n");
  }).join("\n") + "\n";
}

/**
 * The WGSL of a case of an op, forward and gradient, or the list of its kernels. Raises a
 * `UsageError` for an op, a case or a kernel that does not exist.
 */
export async function wgslText(options: WgslOptions): Promise<string> {
  const op = opNamed(options.op);
  const { kernel: part = "", preset, list } = options;
  const numbers = list && options.case === undefined
    ? op.cases.map((_, i) => i)
    : [options.case ?? 0];
  const cases = await Promise.all(numbers.map(async (i) => {
    const all = await kernelsOfCase(preset, op, caseOf(op, i));
    const kernels = all.filter(({ assembled }) => assembled.name.includes(part));
    return { i, all, kernels };
  }));
  if (cases.every(({ kernels }) => kernels.length === 0)) {
    const names = [...new Set(cases.flatMap(({ all }) => all.map((one) => one.assembled.name)))];
    throw unusable(
      `no kernel of ${op.name} has ${printable(part)} in its name; they are ${names.join("; ")}`,
    );
  }
  if (list) return listText(op, cases);
  return cases.flatMap(({ i, kernels }) =>
    distinct(kernels).map((one) => moduleText(`${op.name}, case ${i}`, one))
  ).join("\n\n") + "\n";
}
