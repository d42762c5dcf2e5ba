// Mutations of the messages of an ONNX file, which bytes would seldom give.
import type { Random } from "../../data/random.ts";
import { READ } from "../../export/onnx_read/message.ts";
import { decode, encode } from "../../export/protobuf.ts";

/** A value of a message, with a way to put another one in its place. */
interface Leaf {
  readonly value: number | string | Uint8Array;
  readonly put: (value: number | string | Uint8Array | undefined) => void;
}

const NUMBERS = [0, 1, -1, 2, 3, 7, 64, 65_536, 2 ** 31, -(2 ** 31), 1e15, 0.5, NaN];

/** Values of a message and of those in it, and its lists. */
function collect(message: object, leaves: Leaf[], lists: unknown[][]): void {
  if (Array.isArray(message)) lists.push(message);
  for (const [key, value] of Object.entries(message)) {
    const isLeaf = typeof value === "number" || typeof value === "string" ||
      value instanceof Uint8Array;
    if (isLeaf) leaves.push({ value, put: (other) => Reflect.set(message, key, other) });
    else if (typeof value === "object" && value !== null) collect(value, leaves, lists);
  }
}

function changeLeaf({ value, put }: Leaf, leaves: readonly Leaf[], random: Random): void {
  const alike = leaves.filter((leaf) => typeof leaf.value === typeof value);
  const other = alike[random.integer(alike.length)].value;
  if (typeof value === "number") {
    const near = value + random.integer(3) - 1;
    const picked = NUMBERS[random.integer(NUMBERS.length)];
    return put([near, picked, other][random.integer(3)]);
  }
  if (typeof value === "string") return put(random.integer(4) ? other : "");
  put(random.integer(2) ? value.subarray(0, random.integer(value.length + 1)) : other);
}

function changeList(list: unknown[], random: Random): void {
  const i = random.integer(list.length);
  const j = random.integer(list.length);
  const change = random.integer(3);
  if (change === 0) list.splice(i, 1);
  else if (change === 1) list.splice(j, 0, list[i]);
  else [list[i], list[j]] = [list[j], list[i]];
}

/** A file with one to three other values, or lists with more, fewer or swapped entries. */
export function mutatedModel(file: Uint8Array, random: Random): Uint8Array {
  const model = decode(READ, "Model", file, true);
  for (let n = 1 + random.integer(3); n > 0; n--) {
    const leaves: Leaf[] = [];
    const lists: unknown[][] = [];
    collect(model, leaves, lists);
    const full = lists.filter((list) => list.length > 0);
    if (random.integer(3) && leaves.length) {
      changeLeaf(leaves[random.integer(leaves.length)], leaves, random);
    } else if (full.length) changeList(full[random.integer(full.length)], random);
  }
  return encode(READ, "Model", model);
}
