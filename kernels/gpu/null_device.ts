/// <reference types="@webgpu/types" />
import { standIn } from "./stand_in.ts";

const nothing = (): void => {};
const atOnce = (): Promise<null> => Promise.resolve(null);

const pass = standIn<GPUComputePassEncoder>({
  setPipeline: nothing,
  setBindGroup: nothing,
  dispatchWorkgroups: nothing,
  end: nothing,
});

const encoder = standIn<GPUCommandEncoder>({
  beginComputePass: () => pass,
  clearBuffer: nothing,
  copyBufferToBuffer: nothing,
  copyBufferToTexture: nothing,
  finish: () => ({}),
});

const queue = standIn<GPUQueue>({
  writeBuffer: nothing,
  submit: nothing,
  onSubmittedWorkDone: atOnce,
});

function buffer({ size, label }: GPUBufferDescriptor): GPUBuffer {
  return standIn<GPUBuffer>({
    size,
    label,
    mapAsync: atOnce,
    getMappedRange: () => new ArrayBuffer(size),
    destroy: nothing,
  });
}

/**
 * A device with the name and the limits of another that takes no memory, compiles nothing and runs
 * nothing; all that is read from it is zero. A `Gpu` on it keeps account of its memory as on the
 * other, and so tells the bytes that a program would take there.
 */
export function nullDevice(
  { adapterInfo, limits, features }: Pick<GPUDevice, "adapterInfo" | "limits" | "features">,
): GPUDevice {
  return standIn<GPUDevice>({
    adapterInfo,
    limits,
    // Nothing takes any time there.
    features: new Set([...features].filter((name) => name !== "timestamp-query")),
    queue,
    lost: new Promise(nothing),
    addEventListener: nothing,
    createBuffer: buffer,
    createTexture: () => standIn<GPUTexture>({ createView: () => ({}), destroy: nothing }),
    createBindGroupLayout: () => ({}),
    createBindGroup: () => ({}),
    createShaderModule: () => ({}),
    createPipelineLayout: () => ({}),
    createComputePipeline: () => ({}),
    createCommandEncoder: () => encoder,
    pushErrorScope: nothing,
    popErrorScope: atOnce,
    destroy: nothing,
  });
}
