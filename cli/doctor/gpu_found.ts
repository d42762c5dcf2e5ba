/// <reference types="@webgpu/types" />
// What the doctor finds of the GPU: plain data, which a worker sends.
import { messageOf } from "../../data/message_of.ts";
import { printable } from "../../data/printable.ts";
import { describeAdapter } from "../../kernels/gpu/adapter.ts";
import { NoAdapterError } from "../../kernels/gpu/gpu_error.ts";
import { Gpu } from "../../kernels/gpu.ts";
import { holds, selfTest, type Tested } from "./self_test.ts";
import { measureSpeed, type Speed } from "./speed.ts";

/** The limits that decide what can be trained. */
export const LIMITS = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxStorageBuffersPerShaderStage",
  "maxTextureDimension2D",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupStorageSize",
] as const;

/** The features that kernels and their tuning use where they are there. */
export const FEATURES = ["timestamp-query", "subgroups"] as const;

/** The adapter, as WebGPU describes it. */
export interface AdapterFound {
  /** Its own words for itself. */
  readonly name: string;
  readonly vendor: string;
  readonly architecture: string;
  /** The kind that kernels are shaped for. */
  readonly kind: "software" | "gpu";
  readonly limits: Readonly<Record<typeof LIMITS[number], number>>;
  readonly features: Readonly<Record<typeof FEATURES[number], boolean>>;
  /** Lanes of a subgroup, from and to. */
  readonly subgroup: readonly [number, number];
  /** Whether lanes load for one another by broadcasts. */
  readonly broadcast: boolean;
  /** The products of matrices that its matrix units compute, in words; none in older reports. */
  readonly matrices?: readonly string[];
}

/** What there is of a GPU; each part is missing where what goes before it has failed. */
export interface GpuFound {
  readonly adapter?: AdapterFound;
  readonly tested?: readonly Tested[];
  readonly speed?: Speed;
  /** What failed, one sentence. */
  readonly problem?: string;
  /** Whether there is no adapter at all. */
  readonly missing?: boolean;
  /** Whether its thread still waits for a driver that does not answer. */
  readonly hung?: boolean;
}

function adapterOf(gpu: Gpu): AdapterFound {
  const { device, preset, broadcast } = gpu;
  const { adapterInfo: info, limits, features } = device;
  return {
    name: printable(describeAdapter(info)),
    vendor: printable(info.vendor),
    architecture: printable(info.architecture),
    kind: preset.name,
    limits: {
      maxBufferSize: limits.maxBufferSize,
      maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
      maxStorageBuffersPerShaderStage: limits.maxStorageBuffersPerShaderStage,
      maxTextureDimension2D: limits.maxTextureDimension2D,
      maxComputeInvocationsPerWorkgroup: limits.maxComputeInvocationsPerWorkgroup,
      maxComputeWorkgroupStorageSize: limits.maxComputeWorkgroupStorageSize,
    },
    features: {
      "timestamp-query": features.has("timestamp-query"),
      "subgroups": features.has("subgroups"),
    },
    subgroup: [info.subgroupMinSize, info.subgroupMaxSize],
    broadcast: broadcast > 0,
    matrices:
      gpu.matrixUnits?.configs.map(({ m, n, k, operand, result }) =>
        `${m}x${n}x${k} of ${operand} to ${result}`
      ) ?? [],
  };
}

/** Opens the GPU by `open`, tests it and measures it; `told` hears each part as soon as it is there. */
export async function findGpu(
  told: (found: GpuFound) => void = () => {},
  open: () => Promise<Gpu> = Gpu.open,
): Promise<GpuFound> {
  let found: GpuFound = {};
  const add = (part: GpuFound): void => told(found = { ...found, ...part });
  let gpu: Gpu | undefined;
  try {
    gpu = await open();
    add({ adapter: adapterOf(gpu) });
    const tested = await selfTest(gpu);
    add({ tested });
    // Wrong kernels have no speed.
    if (tested.every(holds)) add({ speed: await measureSpeed(gpu) });
  } catch (error) {
    const message = messageOf(error);
    const problem = printable(message.replace(/\s+/g, " "), 600);
    add({ problem, missing: error instanceof NoAdapterError });
  } finally {
    gpu?.destroy();
  }
  return found;
}
