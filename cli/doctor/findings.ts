// What is well, what is not, and what to do about it, out of what was found.
import { plural } from "../../data/words.ts";
import { NoAdapterError } from "../../kernels/gpu/gpu_error.ts";
import { noAdapterMessage } from "../no_adapter.ts";
import { fileSize } from "../text.ts";
import { dawnFindings } from "./dawn_findings.ts";
import type { Finding } from "./finding.ts";
import type { GpuFound } from "./gpu_found.ts";
import { isSoftware, type PassedOver } from "./passed_over.ts";
import { holds } from "./self_test.ts";
import type { Surroundings } from "./surroundings.ts";

/** All that was looked at. */
export interface Examined {
  readonly gpu: GpuFound;
  /** What was found on Dawn; nothing where it is not installed. */
  readonly dawn?: GpuFound;
  readonly passedOver: readonly PassedOver[];
  readonly surroundings: Surroundings;
  /** The kernel's part of the driver, where it can be told. */
  readonly driver?: string;
  /** `Deno.build.os`. */
  readonly os: string;
  /** DENO_WEBGPU_BACKEND. */
  readonly backend?: string;
}

/** Bytes below which a disk is soon full of checkpoints. */
const LITTLE_ROOM = 2e9;

/** Bytes of memory below which pictures and networks get in each other's way. */
const LITTLE_MEMORY = 1e9;

/** The interface that Deno takes on a system unless another is named. */
const USUAL: Readonly<Record<string, string>> = { darwin: "metal", windows: "dx12" };

const INTERFACES: Readonly<Record<string, string>> = {
  vulkan: "Vulkan",
  gl: "OpenGL",
  dx12: "DirectX 12",
  metal: "Metal",
};

/** What failed of the GPU, and what to do, as its message has them. */
function failure({ gpu, os, backend }: Examined): readonly [found: string, cure: string] {
  const { problem = "", missing, adapter } = gpu;
  const { cure } = new NoAdapterError();
  const message = missing && backend ? noAdapterMessage({ backend, os, cure }) : problem;
  const [what, ...rest] = message.split("; ");
  return [what, rest.join("; ") || (adapter ? "update the driver" : cure)];
}

function gpuFindings(examined: Examined): Finding[] {
  const { gpu: { adapter, problem, tested, speed }, passedOver, driver, os } = examined;
  const section = "GPU";
  const backend = INTERFACES[examined.backend ?? USUAL[os] ?? "vulkan"];
  const found: Finding[] = [];
  if (adapter) {
    const software = adapter.kind === "software" || isSoftware(adapter.name);
    found.push({
      ...{ section, name: "adapter" },
      ...software
        ? {
          state: "warning",
          found: `${adapter.name}: software on the processor`,
          cure: passedOver.length
            ? "see the GPU that was passed over, below"
            : "train small networks and images, or on a machine with a GPU",
        }
        : { state: "ok", found: adapter.name },
    });
    const overOpenGl = adapter.name.endsWith("OpenGL");
    found.push({
      ...{ section, name: "interface" },
      ...overOpenGl && backend !== "OpenGL"
        ? {
          state: "warning",
          found: "OpenGL, up to four times slower than Vulkan",
          cure: "install Vulkan's loader and a driver: apt-get install libvulkan1 " +
            "mesa-vulkan-drivers",
        }
        : { state: "ok", found: overOpenGl ? "OpenGL" : backend },
    });
    if (driver) found.push({ section, name: "driver", state: "ok", found: driver });
    const { limits, features, subgroup: [least, most] } = adapter;
    found.push({
      ...{ section, name: "limits", state: "ok" },
      found: `${fileSize(limits.maxStorageBufferBindingSize)} in a tensor, ` +
        `${limits.maxStorageBuffersPerShaderStage} buffers in a kernel, ` +
        `${limits.maxComputeInvocationsPerWorkgroup} invocations and ` +
        `${limits.maxComputeWorkgroupStorageSize / 1024} KiB in a workgroup`,
    });
    const lanes = least === most ? `${most}` : `${least} to ${most}`;
    found.push({
      ...{ section, name: "features" },
      ...features["timestamp-query"]
        ? { state: "ok", found: `timestamps, subgroups of ${lanes}` }
        : {
          state: "note",
          found: `no timestamps, subgroups of ${lanes}: tiles are timed by the clock of the ` +
            `processor`,
        },
    });
  }
  for (const { gpu, why, cure } of passedOver) {
    found.push({
      ...{ section, name: "passed over", state: "warning" },
      found: `${gpu}: ${why}`,
      cure,
    });
  }
  if (tested) {
    const wrong = tested.filter((test) => !holds(test));
    const worst = Math.max(...tested.map(({ error }) => error));
    found.push({
      ...{ section, name: "self-test" },
      ...wrong.length
        ? {
          state: "problem",
          found: `wrong results of ${plural(wrong.length, "kernel")}: ` +
            wrong.map(({ name, error }) => `${name} (${error.toExponential(1)})`).join("; "),
          cure: "update the driver, or take another one with VK_DRIVER_FILES, and report this",
        }
        : {
          state: "ok",
          found: `${plural(tested.length, "kernel")} equal float64 within ` +
            worst.toExponential(1),
        },
    });
  }
  if (speed) {
    const { gflops, gigabytes } = speed;
    const short = (value: number): string => value.toPrecision(value < 100 ? 2 : 3);
    const words = (value: number): string => `${Number(short(value))}`;
    found.push({
      ...{ section, name: "speed", state: "ok" },
      found: `${words(gflops)} GFLOP/s in a convolution, ${words(gigabytes)} GB/s of memory`,
    });
  }
  if (problem !== undefined) {
    const [what, cure] = failure(examined);
    const name = adapter ? "failed" : "adapter";
    found.push({ section, name, state: "problem", found: what, cure });
  }
  return found;
}

function permissionFindings({ surroundings: { permissions } }: Examined): Finding[] {
  return permissions.map((permission) => ({
    section: "permissions",
    name: permission.flag,
    ...permission.granted
      ? { state: "ok", found: permission.for }
      : { state: "note", found: `not granted to this command; for ${permission.for}` },
  }));
}

function diskFindings({ surroundings: { places, memory, cores } }: Examined): Finding[] {
  const section = "machine";
  const found: Finding[] = [];
  if (memory) {
    const words = `${fileSize(memory.available)} free of ${fileSize(memory.total)}, ` +
      plural(cores, "core");
    found.push({
      ...{ section, name: "memory" },
      ...memory.available < LITTLE_MEMORY
        ? { state: "warning", found: words, cure: "end other programs, or train with --cache none" }
        : { state: "ok", found: words },
    });
  }
  for (const { what, path, free, writable } of places) {
    const room = free === undefined ? "" : `, ${fileSize(free)} free`;
    found.push({
      ...{ section, name: what },
      ...writable === false
        ? {
          state: "warning",
          found: `${path} cannot be written to`,
          cure: what === "runs"
            ? "go to another folder, or name one with --output"
            : "name another folder with XDG_CACHE_HOME",
        }
        : free !== undefined && free < LITTLE_ROOM
        ? {
          state: "warning",
          found: `${path}${room}`,
          cure: "make room: a checkpoint takes four times its network",
        }
        : { state: "ok", found: `${path}${room}` },
    });
  }
  return found;
}

function cacheFindings({ surroundings: { caches }, gpu: { adapter } }: Examined): Finding[] {
  const section = "caches";
  if (!caches) {
    return [{
      ...{ section, name: "folder", state: "note" },
      found: "neither XDG_CACHE_HOME nor HOME may be read: nothing is kept from run to run",
    }];
  }
  return caches.map(({ what, path, entries, problem }): Finding => {
    if (problem !== undefined) {
      const cure = "delete the file: it is measured anew";
      return { section, name: what, state: "warning", found: `${path}: ${problem}`, cure };
    }
    if (!entries) return { section, name: what, state: "note", found: "none yet" };
    const all = Object.values(entries).reduce((sum, count) => sum + count, 0);
    const own = adapter && what === "tiles" ? `, ${entries[adapter.name] ?? 0} for this GPU` : "";
    return { section, name: what, state: "ok", found: `${all} in ${path}${own}` };
  });
}

function versionFindings({ surroundings: { versions, system, pictures } }: Examined): Finding[] {
  const section = "versions";
  const known = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const found: Finding[] = [
    { section, name: "program", state: "ok", found: `${known.slice(0, 3).join(", ")}, ${system}` },
    { section, name: "packages", state: "ok", found: known.slice(3).join(", ") },
  ];
  const [what, ...cure] = pictures?.split(/: (?=add )|; |: (?=run )/) ?? [];
  found.push({
    ...{ section, name: "pictures" },
    ...what === undefined
      ? { state: "ok", found: "sharp is loaded: JPEG, PNG, WebP and others are read" }
      : { state: "warning", found: what, cure: cure.join("; ") || "run sh setup.sh --all once" },
  });
  return found;
}

/** What there is to say of all that was looked at, in its order. */
export function findings(examined: Examined): Finding[] {
  const dawn = ({ dawn }: Examined): Finding[] => dawnFindings(dawn);
  return [gpuFindings, dawn, diskFindings, cacheFindings, versionFindings, permissionFindings]
    .flatMap((of) => of(examined));
}
