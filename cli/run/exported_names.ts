// The names of what `export` writes: a network's, and an end that says what of it.
import { isWhich } from "../../nn/which.ts";

/** The ends, as `.onnx` of `small.onnx`. */
const ENDS = [
  ".onnx",
  ".int8.onnx",
  ".fp16.onnx",
  ".html",
  ".int8.html",
  ".fp16.html",
  ".torch.safetensors",
] as const;

/** The names of what `export` writes for a run with one small network. */
export const EXPORTED: readonly string[] = ENDS.flatMap((end) => [`base${end}`, `small${end}`]);

/** A name without what `export` adds for some end; several where one end is the end of another. */
function withoutEnds(name: string): string[] {
  return ENDS.flatMap((end) => name.endsWith(end) ? [name.slice(0, -end.length)] : []);
}

/** Whether a name is what `export` writes for a network of a run: `small-2.int8.onnx`. */
export function isExported(name: string): boolean {
  return withoutEnds(name).some(isWhich);
}

/** What comes before the name of a network, and a dot, in a name of an export: `last` of `last.small.onnx`. */
export function beforeExported(name: string): string[] {
  return withoutEnds(name).flatMap((rest) =>
    [...rest.matchAll(/\./g)].flatMap(({ index }) =>
      isWhich(rest.slice(index + 1)) ? [rest.slice(0, index)] : []
    )
  );
}
