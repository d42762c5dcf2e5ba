import type { Assembled, Binding } from "./assemble.ts";
import { TEXTURE_FORMAT } from "./texture.ts";

/** A compiled kernel. */
export interface Pipeline {
  /** The device's pipeline. */
  readonly pipeline: GPUComputePipeline;
  /** The layout of its only bind group, number 0. */
  readonly layout: GPUBindGroupLayout;
  /** The module it was compiled from. */
  readonly assembled: Assembled;
}

const COMPUTE = 4;

/** The layout entry of each kind of binding. */
const LAYOUTS = {
  read: { buffer: { type: "read-only-storage" } },
  write: { buffer: { type: "storage" } },
  queue: { buffer: { type: "storage" } },
  uniform: { buffer: { type: "uniform" } },
  load: { storageTexture: { access: "read-only", format: TEXTURE_FORMAT } },
  store: { storageTexture: { access: "write-only", format: TEXTURE_FORMAT } },
} as const satisfies Record<Binding["kind"], Partial<GPUBindGroupLayoutEntry>>;

/** Compiles a kernel on a device, which reports what is wrong with it to its error scope. */
export function compile(device: GPUDevice, assembled: Assembled): Pipeline {
  const { name, code, bindings } = assembled;
  const layout = device.createBindGroupLayout({
    label: name,
    entries: bindings.map(({ kind }, binding) => ({
      binding,
      visibility: COMPUTE,
      ...LAYOUTS[kind],
    })),
  });
  const module = device.createShaderModule({ label: name, code });
  const pipeline = device.createComputePipeline({
    label: name,
    layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
    compute: { module, entryPoint: "entry" },
  });
  return { pipeline, layout, assembled };
}
