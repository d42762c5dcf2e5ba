// Which GPUs a machine has that WebGPU did not take, and why.

/** What was read of a machine; lists are empty where nothing may be read. */
export interface Machine {
  /** `Deno.build.os`. */
  readonly os: string;
  /** The text of /sys/bus/pci/devices/*\/uevent, one behind the other. */
  readonly pci: string;
  /** Names in /dev, those in /dev/dri with `dri/` before them. */
  readonly devices: readonly string[];
  /** Names of programs and libraries that come with a GPU, as `nvidia-smi`. */
  readonly files: readonly string[];
  /** Names of the manifests of Vulkan drivers, as `lvp_icd.x86_64.json`. */
  readonly manifests: readonly string[];
  /** Whether libvulkan is installed. */
  readonly loader: boolean;
  /** DENO_WEBGPU_BACKEND. */
  readonly backend?: string;
}

/** A GPU that was not taken. */
export interface PassedOver {
  /** As "an NVIDIA GPU". */
  readonly gpu: string;
  /** Why, as far as it can be told. */
  readonly why: string;
  /** What to do, as an order. */
  readonly cure: string;
}

interface Maker {
  readonly gpu: string;
  /** Of PCI. */
  readonly vendor?: string;
  /** Its files in /dev. */
  readonly device?: RegExp;
  /** Other files that are there where the GPU is. */
  readonly files?: RegExp;
  /** How adapters call themselves. */
  readonly adapter: RegExp;
  /** The manifest of its Vulkan driver. */
  readonly manifest: RegExp;
  /** What installs that. */
  readonly install: string;
}

const MESA = "install Mesa's drivers, on Debian: apt-get install mesa-vulkan-drivers";

/** The one that is usually faster first. */
const MAKERS: readonly Maker[] = [
  {
    gpu: "an NVIDIA GPU",
    vendor: "10DE",
    device: /^nvidia\d+$/,
    files: /^(nvidia-smi|libcuda\.so)/,
    adapter: /nvidia|geforce|quadro|tesla|nvk|nouveau/i,
    manifest: /nvidia|nouveau/,
    install: "install the Vulkan part of its driver (Debian: nvidia-vulkan-icd, Ubuntu: " +
      "libnvidia-gl-VERSION), or start the container with NVIDIA_DRIVER_CAPABILITIES=all",
  },
  {
    gpu: "an AMD GPU",
    vendor: "1002",
    device: /^kfd$/,
    adapter: /amd|radeon|radv/i,
    manifest: /radeon|amd/,
    install: MESA,
  },
  {
    gpu: "an Intel GPU",
    vendor: "8086",
    adapter: /intel/i,
    manifest: /intel/,
    install: MESA,
  },
  {
    gpu: "the GPU of Windows",
    device: /^dxg$/,
    adapter: /direct3d|dzn/i,
    manifest: /dzn/,
    install: "run adjoin in Windows itself, where Deno takes DirectX, or install a Mesa with dzn",
  },
];

const SOFTWARE = /llvmpipe|swiftshader|basic render|warp|softpipe/i;

/** Whether an adapter by this name is a program on the processor. */
export function isSoftware(adapter: string): boolean {
  return SOFTWARE.test(adapter);
}

/** A PCI device: its maker, and the kernel's driver for it. */
interface Device {
  readonly vendor: string;
  readonly driver?: string;
}

/** Devices of the class of displays (0x03), but none that were lent to virtual machines. */
function displays(pci: string): Device[] {
  return pci.split(/^MODALIAS=.*$/m).flatMap((text) => {
    const of = (key: string): string | undefined =>
      text.match(new RegExp(`^${key}=(.*)$`, "m"))?.[1];
    const vendor = of("PCI_ID")?.split(":")[0].toUpperCase();
    const display = /^3[\dA-F]{4}$/i.test(of("PCI_CLASS") ?? "");
    const driver = of("DRIVER");
    return vendor && display && driver !== "vfio-pci" ? [{ vendor, driver }] : [];
  });
}

/** Why the GPU of a maker was not taken. */
function reason(
  { install, manifest, vendor }: Maker,
  machine: Machine,
  adapter: string,
): Omit<PassedOver, "gpu"> {
  const { backend, loader, manifests, devices } = machine;
  if (backend && backend !== "vulkan") {
    return {
      why: `DENO_WEBGPU_BACKEND=${backend} keeps Deno from Vulkan`,
      cure: "unset DENO_WEBGPU_BACKEND",
    };
  }
  // An adapter of Vulkan's is proof of a loader, wherever it lies.
  const found = adapter !== "" && !adapter.endsWith("OpenGL");
  if (!loader && !found) {
    return {
      why: "libvulkan.so.1 is missing",
      cure: "install Vulkan's loader, on Debian: apt-get install libvulkan1",
    };
  }
  if (!manifests.some((name) => manifest.test(name))) {
    return { why: "no Vulkan driver for it is installed", cure: install };
  }
  const own = displays(machine.pci).filter((device) => device.vendor === vendor);
  if (own.length && own.every(({ driver }) => driver === undefined)) {
    return { why: "the kernel has no driver for it", cure: "install its driver, then start anew" };
  }
  if (vendor !== "10DE" && !devices.some((name) => name.startsWith("dri/render"))) {
    return {
      why: "there is no /dev/dri/renderD128 to reach it by",
      cure: "start the container with --device /dev/dri",
    };
  }
  return {
    why: "its Vulkan driver is installed, and gives no adapter",
    cure: "join the group render (usermod -aG render USER) and log in anew, or see what " +
      "vulkaninfo --summary says",
  };
}

/** How much an adapter is worth: the number of makers from its own on, 0 for software and none. */
function rank(adapter: string): number {
  if (adapter === "" || isSoftware(adapter)) return 0;
  const at = MAKERS.findIndex((maker) => maker.adapter.test(adapter));
  return at < 0 ? Infinity : MAKERS.length - at;
}

/**
 * The GPUs of a machine that should have been taken before `adapter`, an adapter's name, or nothing
 * where there is none: those that are usually faster. Only Linux passes GPUs over.
 */
export function passedOver(machine: Machine, adapter: string = ""): PassedOver[] {
  if (machine.os !== "linux") return [];
  const vendors = displays(machine.pci).map(({ vendor }) => vendor);
  return MAKERS.flatMap((maker, i) => {
    const there = (maker.vendor !== undefined && vendors.includes(maker.vendor)) ||
      machine.devices.some((name) => maker.device?.test(name)) ||
      machine.files.some((name) => maker.files?.test(name));
    if (!there || rank(adapter) >= MAKERS.length - i) return [];
    return [{ gpu: maker.gpu, ...reason(maker, machine, adapter) }];
  });
}

/** One sentence on a GPU that was passed over. */
export function passedOverWords({ gpu, why, cure }: PassedOver): string {
  return `the machine has ${gpu}, which was passed over: ${why}; ${cure}`;
}
