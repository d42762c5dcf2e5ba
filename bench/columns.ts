import type { PeerCommand } from "./peer.ts";
import type { Task } from "./work.ts";

/** A column of a comparison: a library, in one of its precisions. */
export interface Column extends Marks {
  /** How its process is started. */
  readonly command: PeerCommand;
  /** Why it is not given a task, if it is not; `all` gives it what takes minutes as well. */
  readonly leftOut?: (task: Task, all: boolean) => string | undefined;
}

/** What a table knows of a column. */
export interface Marks {
  /** `ours`: this project. `usual`: what people run instead. Others compute in float32. */
  readonly kind?: "ours" | "usual";
  /** What times of ours are compared with is called so beside them. */
  readonly against?: string;
  /** Whether factors have fewer bits than float32's: results are then further apart. */
  readonly rounded?: boolean;
}

/** What paths of permissions are relative to. */
const ROOT = new URL("../", import.meta.url);

/** Where the scripts of peers are. */
export const PEERS: URL = new URL("./peers/", import.meta.url);

/** Steps of TensorFlow.js with more than this many channels take minutes. */
const TFJS_CHANNELS = 64;

const PYTHONS = ["python3", "/usr/bin/python3"];

/** Whether a step is of both networks, which only this project has. */
function isAdjoined(task: Task): boolean {
  return task.kind === "step" && task.compression !== undefined;
}

/** Steps of the peers in JavaScript are of basic blocks, or inverted ones. */
function inJavaScript(name: string, script: string): Column {
  const command = { name, programs: ["deno"], args: ["run", "--quiet", "--no-prompt", script] };
  const leftOut = (task: Task, all: boolean): string | undefined => {
    if (isAdjoined(task)) return "not written";
    if (task.kind !== "step" || task.blocks === "inverted") return undefined;
    if (task.bottleneck) return "not written";
    const slow = name === "TensorFlow.js" && Math.max(...task.widths) > TFJS_CHANNELS;
    return slow && !all ? "left out" : undefined;
  };
  return { command, leftOut };
}

/**
 * PyTorch; with words that its script takes, in the precision that they name. `stepsOnly`: it is given
 * no convolutions.
 */
function pytorch(
  name: string,
  words: readonly string[],
  { stepsOnly = false, ...marks }: Marks & { readonly stepsOnly?: boolean } = {},
): Column {
  return {
    ...marks,
    command: { name, programs: PYTHONS, args: ["pytorch.py", ...words] },
    leftOut: (task) => {
      if (isAdjoined(task)) return "not written";
      return stepsOnly && task.kind === "convolution" ? "steps only" : undefined;
    },
  };
}

/**
 * This project in a process of its own, which starts with `grants`, the permissions that it needs:
 * in a precision, on `navigator.gpu` or on Dawn.
 */
export function ours(
  precision: "float32" | "mixed",
  { webgpu, grants, env }: {
    readonly webgpu?: "dawn";
    readonly grants: readonly string[];
    /** Variables of its environment beside those that are there. */
    readonly env?: Readonly<Record<string, string>>;
  },
): Column {
  const flags = ["--precision", precision, ...webgpu ? ["--webgpu", webgpu] : []];
  const args = ["run", "--quiet", "--no-prompt", ...grants, "bench/served.ts", ...flags];
  const name = `adjoin ${precision}${webgpu ? " on Dawn" : ""}`;
  return {
    kind: "ours",
    rounded: precision === "mixed",
    command: { name, programs: ["deno"], args, env, cwd: ROOT },
  };
}

const STEPS = { kind: "usual", rounded: true, stepsOnly: true } as const;

/** What people run in PyTorch: its default for convolutions, and autocast, each as a graph too. */
export const USUAL: readonly Column[] = [
  pytorch("PyTorch TF32", ["tf32"], { kind: "usual", against: "TF32", rounded: true }),
  pytorch("PyTorch fp16 autocast", ["fp16"], { kind: "usual", against: "autocast", rounded: true }),
  pytorch("PyTorch TF32, CUDA graph", ["tf32", "graph"], STEPS),
  pytorch("PyTorch fp16, CUDA graph", ["fp16", "graph"], STEPS),
  pytorch("PyTorch bf16 autocast", ["bf16"], STEPS),
];

/** PyTorch in float32, without TF32. */
export const FLOAT32: Column = pytorch("PyTorch", []);

/** The same beside what people run, for steps. */
export const FLOAT32_TOO: Column = pytorch("PyTorch float32", ["float32"], {
  ...{ kind: "usual", stepsOnly: true },
});

/** Other libraries in float32. */
export const OTHERS: readonly Column[] = [
  inJavaScript("TensorFlow.js", "tfjs.ts"),
  inJavaScript("jax-js", "jax_js.ts"),
  FLOAT32,
];
