import { LANES } from "../wgsl/elementwise.ts";
import { defineKernel, type Kernel } from "../gpu/kernel.ts";
import type { PendingGradient } from "../op.ts";
import type { Tensor } from "../gpu/tensor.ts";
import type { Trace } from "../program/trace.ts";

function store(of: string, accumulate: boolean): Kernel<"sums", "into", "words"> {
  return defineKernel({
    name: `${of} gradient${accumulate ? ", added" : ""}`,
    workgroupSize: LANES,
    reads: { sums: "f32" },
    writes: { into: "f32" },
    dims: { words: "u32" },
    wgsl: /* wgsl */ `
fn main(workgroup: u32, lane: u32) {
  let i = workgroup * ${LANES}u + lane;
  if (i < dims.words) { into[i] = sums[i]${accumulate ? " + into[i]" : ""}; }
}`,
  });
}

/** The gradient of a vector of parameters, which `sums` holds already; `of` names the op. */
export function vectorGradient(trace: Trace, of: string, sums: Tensor): PendingGradient {
  return {
    complete: true,
    write: (into, accumulate) => {
      if (!accumulate && into.storage && !sums.storage) return trace.place(sums, into);
      trace.run(store(of, accumulate), {
        reads: { sums },
        writes: { into },
        dims: { words: sums.words },
        workgroups: Math.ceil(sums.words / LANES),
      });
    },
  };
}
