import type { Cost } from "./cost.ts";

/** A command as it is encoded: a kernel run, or a transfer of memory between two. */
export type Action =
  | {
    readonly kind: "dispatch";
    readonly name: string;
    /** What it is a part of. */
    readonly work?: string;
    readonly cost: Cost;
    readonly pipeline: GPUComputePipeline;
    readonly group: GPUBindGroup;
    readonly x: number;
    readonly y: number;
  }
  | {
    readonly kind: "transfer";
    readonly name: string;
    readonly cost: Cost;
    readonly encode: (encoder: GPUCommandEncoder) => void;
  };

/** Encodes actions, neighbouring kernels in one pass, each of which begins as `begin` says. */
export function encode(
  encoder: GPUCommandEncoder,
  actions: readonly Action[],
  begin?: () => GPUComputePassDescriptor,
): void {
  let pass: GPUComputePassEncoder | undefined;
  for (const action of actions) {
    if (action.kind === "transfer") {
      pass?.end();
      pass = undefined;
      action.encode(encoder);
      continue;
    }
    pass ??= encoder.beginComputePass(begin?.());
    pass.setPipeline(action.pipeline);
    pass.setBindGroup(0, action.group);
    pass.dispatchWorkgroups(action.x, action.y);
  }
  pass?.end();
}

/** The number of compute passes that {@link encode} begins. */
export function passesOf(actions: readonly Action[]): number {
  const begins = ({ kind }: Action, i: number): boolean =>
    kind === "dispatch" && (i === 0 || actions[i - 1].kind === "transfer");
  return actions.filter(begins).length;
}
