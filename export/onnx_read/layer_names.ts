import { isOwnName } from "../../nn/state.ts";

/** Names of tensors that programs make up: `onnx::Conv_193`, `val_7`, `193`. */
const MADE_UP = /^(onnx::.*|val_\d+|_?\d+|const[\w.]*|.*::.*)$/i;

/** The parts of layers that files have in names of tensors. */
const PARTS = /\.(weight|bias|gamma|running_mean|running_var)(_quantized)?$/;

/**
 * The name of a module in that of a node: `/layer1/layer1.0/conv1/Conv` is `layer1.0.conv1`. A
 * part that begins with the one before it takes its place. Empty for a node without a module.
 */
export function moduleName(node: string, op: string): string {
  if (!node.includes("/")) return node;
  const parts = node.split("/").filter((part) => part !== "");
  const last = parts.at(-1) ?? "";
  if (last === op || last.startsWith(`${op}_`)) parts.pop();
  const modules: string[] = [];
  for (const part of parts) {
    const before = modules.at(-1);
    if (before !== undefined && part.startsWith(`${before}.`)) modules.pop();
    modules.push(part);
  }
  return modules.join(".");
}

/** The name of a layer in that of its tensor: `layer1.0.conv1.weight` is `layer1.0.conv1`. */
export function layerOfTensor(tensor: string | undefined): string | undefined {
  if (tensor === undefined || MADE_UP.test(tensor)) return undefined;
  const bare = tensor.replace(PARTS, "");
  return bare === "" ? undefined : bare;
}

/** Names of layers: each once, of letters, digits and what joins them. */
export class LayerNames {
  readonly #taken = new Set<string>();

  /** The first wanted name that is one, or with a number behind it where it is taken. */
  take(...wanted: readonly (string | undefined)[]): string {
    const first = wanted.find((name) => name !== undefined && name !== "") ?? "layer";
    let bare = first.replaceAll(/[^\p{L}\p{N}_.-]+/gu, "_").replace(/^[_.]+|[_.]+$/g, "") ||
      "layer";
    // Names in it are the small network's.
    if (isOwnName(bare)) bare = bare.replace(".", "_");
    bare = bare.slice(0, 200);
    let name = bare;
    for (let n = 2; this.#taken.has(name); n++) name = `${bare}_${n}`;
    this.#taken.add(name);
    return name;
  }
}
