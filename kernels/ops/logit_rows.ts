import { quads } from "../gpu/tensor.ts";

/** Classes from which on a workgroup shares a row of logits. */
const MANY_CLASSES = 4096;

/** How rows of logits are divided: each invocation takes one, or the lanes of a workgroup share it. */
export interface LogitRows {
  /** Lanes of a workgroup. */
  readonly lanes: number;
  /** Lanes that share a row: one, or all of a workgroup. */
  readonly shares: number;
}

/** The division of rows of so many classes. */
export function logitRowsOf(classes: number): LogitRows {
  return classes < MANY_CLASSES ? { lanes: 8, shares: 1 } : { lanes: 64, shares: 64 };
}

/** Workgroups for `batch` rows. */
export function rowWorkgroups({ lanes, shares }: LogitRows, batch: number): number {
  return Math.ceil(batch * shares / lanes);
}

/** The iterations of so many loops over the vec4 of a row, and as many sums over its lanes. */
export function rowIterations({ shares }: LogitRows, classes: number, loops: number): number {
  const halvings = shares === 1 ? 0 : Math.log2(shares) + 1;
  return loops * (Math.ceil(quads(classes) / shares) + 1 + halvings);
}

/** The head of a WGSL loop over the vec4 `quad` of a row that an invocation takes. */
export function eachQuad({ shares }: LogitRows): string {
  return `for (var quad = share; quad < row_quads(); quad += ${shares}u)`;
}

function combine(name: string, shares: number, pair: (a: string, b: string) => string): string {
  return /* wgsl */ `
fn ${name}_over_lanes(value: vec4f) -> vec4f {
  workgroupBarrier();
  shared_values[share] = value;
  for (var half = ${shares / 2}u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (share < half) {
      shared_values[share] = ${pair("shared_values[share]", "shared_values[share + half]")};
    }
  }
  workgroupBarrier();
  return shared_values[0];
}`;
}

/**
 * WGSL of `share`, the first vec4 of a row that an invocation takes, and of `sum_over_lanes` and
 * `max_over_lanes`, which are called by all lanes that share a row.
 */
export function overLanes({ shares }: LogitRows): string {
  if (shares === 1) {
    return /* wgsl */ `
const share = 0u;
fn sum_over_lanes(value: vec4f) -> vec4f { return value; }
fn max_over_lanes(value: vec4f) -> vec4f { return value; }`;
  }
  return /* wgsl */ `
var<private> share: u32;
var<workgroup> shared_values: array<vec4f, ${shares}>;
${combine("sum", shares, (a, b) => `${a} + ${b}`)}
${combine("max", shares, (a, b) => `max(${a}, ${b})`)}`;
}

/** A `main` that runs `body` for each `row`; the first of its lanes stores what comes of it. */
export function eachRow({ lanes, shares }: LogitRows, body: string): string {
  const row = shares === 1 ? `workgroup * ${lanes}u + lane` : "workgroup";
  return /* wgsl */ `
fn main(workgroup: u32, lane: u32) {
  ${shares === 1 ? "" : "share = lane;"}
  let row = ${row};
  if (row >= dims.batch) { return; }
  ${body}
}`;
}
