import { OURS } from "./bounds.ts";

/** This project on a card, in a precision. */
export interface Precision {
  /** What its column is called. */
  readonly name: string;
  readonly precision: "float32" | "mixed";
  readonly webgpu?: "dawn";
}

/** All of them; float32 is what the others are held to. */
export const PRECISIONS: readonly Precision[] = [
  { name: OURS.float32, precision: "float32" },
  { name: OURS.mixed, precision: "mixed" },
  { name: OURS.dawn, precision: "mixed", webgpu: "dawn" },
];

/** The flags of a precision. */
export function flagsOf({ precision, webgpu }: Precision): string[] {
  return ["--precision", precision, ...webgpu ? ["--webgpu", webgpu] : []];
}

/** A precision in the name of a file. */
export function wordOf({ precision, webgpu }: Precision): string {
  return webgpu ? `${precision}-${webgpu}` : precision;
}
