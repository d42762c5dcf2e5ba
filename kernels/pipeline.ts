import { type Assembled, type Kernel, MIRROR_FORMAT } from "./kernel.ts";

/** A compiled kernel. */
export interface Pipeline {
  /** As the device knows it. */
  readonly pipeline: GPUComputePipeline;
  /** The layout of its only bind group, number 0. */
  readonly layout: GPUBindGroupLayout;
  /** The module it was compiled from. */
  readonly assembled: Assembled;
}

const COMPUTE = 4;
const BUFFER_TYPES = { read: "read-only-storage", write: "storage", uniform: "uniform" } as const;

/** Compiles a kernel on a device, which reports what is wrong with it to its error scope. */
export function compile(device: GPUDevice, { name }: Kernel, assembled: Assembled): Pipeline {
  const layout = device.createBindGroupLayout({
    label: name,
    entries: assembled.bindings.map(({ kind }, binding) => ({
      binding,
      visibility: COMPUTE,
      ...(kind === "mirror"
        ? { storageTexture: { access: "read-only" as const, format: MIRROR_FORMAT } }
        : { buffer: { type: BUFFER_TYPES[kind] } }),
    })),
  });
  const module = device.createShaderModule({ label: name, code: assembled.code });
  const pipeline = device.createComputePipeline({
    label: name,
    layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
    compute: { module, entryPoint: "entry" },
  });
  return { pipeline, layout, assembled };
}
