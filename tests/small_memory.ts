// A device that has less memory than its adapter: what goes beyond fails as it does on a real one, by
// an error scope or an event, and with a buffer that cannot be used.
/// <reference types="@webgpu/types" />

/** A device with a limit, and what it was asked for. */
export interface SmallMemory {
  readonly device: GPUDevice;
  /** Bytes of what it gave and did not get back. */
  readonly taken: number;
  /** Allocations that failed, by label. */
  readonly failed: readonly string[];
}

interface Destroyed {
  destroy(): undefined;
}

const BYTES_PER_TEXEL = 16;

/** Opens a device of the adapter with `bytes` of memory, all buffers and textures together. */
export async function openSmallMemory(bytes: number): Promise<SmallMemory> {
  const adapter = await navigator.gpu.requestAdapter();
  if (!adapter) throw new TypeError("Cannot open a small device: there is no adapter");
  const { limits: { maxBufferSize, maxStorageBufferBindingSize } } = adapter;
  const { maxStorageBuffersPerShaderStage } = adapter.limits;
  return smallMemory(
    await adapter.requestDevice({
      requiredLimits: {
        maxBufferSize,
        maxStorageBufferBindingSize,
        maxStorageBuffersPerShaderStage,
      },
    }),
    bytes,
  );
}

/** Leaves a device `bytes` of memory, all buffers and textures together. */
export function smallMemory(device: GPUDevice, bytes: number): SmallMemory {
  /** Errors of the scopes that are open, the innermost last. */
  const scopes: { filter: GPUErrorFilter; error?: GPUError }[] = [];
  const failed: string[] = [];
  let taken = 0;

  const push = device.pushErrorScope.bind(device);
  const pop = device.popErrorScope.bind(device);
  const createBuffer = device.createBuffer.bind(device);
  const createTexture = device.createTexture.bind(device);

  const invalid = <T>(make: () => T): T => {
    push("validation");
    const made = make();
    void pop();
    return made;
  };
  const fail = (what: string): void => {
    failed.push(what);
    const error = new GPUOutOfMemoryError("Not enough memory left");
    const scope = scopes.findLast(({ filter }) => filter === "out-of-memory");
    if (scope) scope.error ??= error;
    else device.dispatchEvent(new GPUUncapturedErrorEvent("uncapturederror", { error }));
  };
  const counted = <T extends Destroyed>(made: T, size: number): T => {
    taken += size;
    let given = false;
    const destroy = made.destroy.bind(made);
    made.destroy = () => {
      if (!given) taken -= size;
      given = true;
      return destroy();
    };
    return made;
  };

  device.pushErrorScope = (filter) => {
    scopes.push({ filter });
    return push(filter);
  };
  device.popErrorScope = async () => {
    const scope = scopes.pop();
    const error = await pop();
    return scope?.error ?? error;
  };
  device.createBuffer = (made) => {
    if (taken + made.size <= bytes) return counted(createBuffer(made), made.size);
    fail(made.label ?? "");
    return invalid(() => createBuffer({ ...made, size: Number.MAX_SAFE_INTEGER }));
  };
  device.createTexture = (made) => {
    const { size } = made;
    const [width, height = 1] = Symbol.iterator in size ? [...size] : [size.width, size.height];
    const asked = width * height * BYTES_PER_TEXEL;
    if (taken + asked <= bytes) return counted(createTexture(made), asked);
    fail(made.label ?? "");
    return invalid(() => createTexture({ ...made, size: [2 ** 31 - 1, 1] }));
  };
  return {
    device,
    failed,
    get taken() {
      return taken;
    },
  };
}
