import { assertEquals, assertMatch } from "@std/assert";
import { type Machine, passedOver, passedOverWords } from "../cli/doctor/passed_over.ts";
import { readMachine } from "../cli/doctor/machine.ts";

const LLVMPIPE = "llvmpipe (LLVM 15.0.6, 256 bits)";

function pci(id: string, driver?: string, kind = "30000"): string {
  const bound = driver === undefined ? "" : `DRIVER=${driver}\n`;
  return `${bound}PCI_CLASS=${kind}\nPCI_ID=${id}\nPCI_SLOT_NAME=0000:01:00.0\nMODALIAS=pci:v\n`;
}

/** A machine with a GPU that is as it should be, but for what is given. */
function machine(found: Partial<Machine> = {}): Machine {
  return {
    os: "linux",
    pci: pci("10DE:2335", "nvidia", "30200") + pci("8086:A780", "i915"),
    devices: ["null", "nvidia0", "nvidiactl", "dri/card0", "dri/renderD128"],
    files: [],
    manifests: ["intel_icd.x86_64.json", "lvp_icd.x86_64.json", "nvidia_icd.json"],
    loader: true,
    ...found,
  };
}

/** GPUs that are passed over, and why. */
function found(of: Machine, adapter?: string): string[] {
  return passedOver(of, adapter).map(({ gpu, why }) => `${gpu}: ${why}`);
}

const NONE = "no Vulkan driver for it is installed";

Deno.test("a GPU that was taken was not passed over, nor one that is slower", () => {
  assertEquals(found(machine(), "NVIDIA H200"), []);
  assertEquals(found(machine(), "Apple M1"), []);
  assertEquals(found(machine({ os: "darwin" }), ""), []);
  assertEquals(found(machine({ pci: pci("1234:1111"), devices: [] }), LLVMPIPE), []);
  // No display: a network card of Intel's.
  assertEquals(found(machine({ pci: pci("8086:1572", "i40e", "20000"), devices: [] })), []);
  // Lent to a virtual machine.
  assertEquals(found(machine({ pci: pci("1002:744C", "vfio-pci"), devices: [] })), []);
  const { manifests } = machine();
  const without = manifests.filter((name) => !name.startsWith("nvidia"));
  assertEquals(found(machine({ manifests: without }), "Intel(R) UHD Graphics 770"), [
    `an NVIDIA GPU: ${NONE}`,
  ]);
});

Deno.test("why a GPU is passed over is said with what to do", () => {
  const only = { pci: pci("1002:744C", "amdgpu"), devices: ["kfd", "dri/renderD128"] };
  const amd = (made: Partial<Machine>, adapter = LLVMPIPE) =>
    passedOver(machine({ ...only, manifests: ["radeon_icd.x86_64.json"], ...made }), adapter)
      .map(passedOverWords);
  const rows: [Partial<Machine>, RegExp, string?][] = [
    [{ backend: "gl" }, /BACKEND=gl keeps Deno from Vulkan; unset DENO_WEBGPU_BACKEND$/],
    [{ loader: false }, /libvulkan.so.1 is missing; .*apt-get install libvulkan1$/, ""],
    [{ loader: false, manifests: [] }, /missing; .*libvulkan1$/, "llvmpipe, OpenGL"],
    [{ manifests: ["lvp_icd.json"] }, /no Vulkan driver .*install mesa-vulkan-drivers$/],
    // Found by an adapter of Vulkan's, wherever it lies.
    [{ loader: false, manifests: [] }, /no Vulkan driver/],
    [{ pci: pci("1002:744C") }, /the kernel has no driver for it; install its driver/],
    [{ devices: ["kfd"] }, /no \/dev\/dri\/renderD128 .*--device \/dev\/dri$/],
    [{}, /gives no adapter; join the group render .*vulkaninfo --summary says$/],
  ];
  for (const [made, wanted, adapter] of rows) {
    const words = amd(made, adapter);
    assertEquals(words.length, 1);
    assertMatch(words[0], /^the machine has an AMD GPU, which was passed over: /);
    assertMatch(words[0], wanted);
  }
});

Deno.test("GPUs are found in containers and in WSL, where no bus can be seen", () => {
  const bare = { pci: "", devices: [], manifests: ["lvp_icd.json"] };
  for (const seen of [{ devices: ["nvidia7"] }, { files: ["nvidia-smi"] }]) {
    assertEquals(found(machine({ ...bare, ...seen }), LLVMPIPE), [`an NVIDIA GPU: ${NONE}`]);
  }
  assertEquals(found(machine({ ...bare, devices: ["dxg"] }), LLVMPIPE), [
    `the GPU of Windows: ${NONE}`,
  ]);
  assertEquals(found(machine({ ...bare, devices: ["dxg"] }), "Microsoft Direct3D12 (RTX)"), []);
  assertEquals(found(machine(bare), LLVMPIPE), []);
});

Deno.test("a machine is read without any permission, too", { permissions: "none" }, () => {
  const { os, devices, manifests } = readMachine("gl");
  assertEquals([os, devices, manifests], [Deno.build.os, [], []]);
});
