import { type Machine, passedOver, passedOverWords } from "./passed_over.ts";

/** Where drivers put their manifests. */
const MANIFESTS = ["/usr/share/vulkan/icd.d", "/etc/vulkan/icd.d", "/usr/local/share/vulkan/icd.d"];

/** Where libraries lie. */
const LIBRARIES = [
  ...["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib"],
  ...["/usr/local/lib", "/usr/lib/wsl/lib"],
];

/** Programs and libraries that come with a GPU's driver. */
const DRIVER_FILES = [
  "/usr/bin/nvidia-smi",
  ...LIBRARIES.map((folder) => `${folder}/libcuda.so.1`),
];

const PCI = "/sys/bus/pci/devices";

/** What a program of the system prints; nothing where it may not be run, or fails. */
function printed(program: "cat" | "ls", args: readonly string[]): string {
  const { state } = Deno.permissions.querySync({ name: "run", command: program });
  if (state !== "granted" || !args.length) return "";
  const found = orNothing(() =>
    new Deno.Command(program, { args: [...args], stdin: "null", stderr: "null" }).outputSync()
  );
  return new TextDecoder().decode(found?.stdout);
}

const KINDS = ["read", "write", "net", "env", "run", "ffi", "sys"] as const;

/**
 * Whether a path may be read. Without asking: at a terminal, Deno would stop to ask the user. It reads
 * below /dev, /proc and /sys only for who may do everything.
 */
function mayRead(path: string): boolean {
  const asked: Deno.PermissionDescriptor[] = /^\/(dev|proc|sys)(\/|$)/.test(path)
    ? KINDS.map((name) => ({ name }))
    : [{ name: "read", path }];
  return asked.every((one) => Deno.permissions.querySync(one).state === "granted");
}

/** What `read` gives; nothing where it fails, as where there is no such file. */
function orNothing<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** Names in a folder; those that `ls` sees where only that may look. */
function namesIn(folder: string): string[] {
  if (!mayRead(folder)) return printed("ls", ["-1", folder]).split("\n").filter(Boolean);
  return orNothing(() => [...Deno.readDirSync(folder)].map(({ name }) => name)) ?? [];
}

/** The text of files, one behind the other; what `cat` prints where only that may read. */
function textOf(paths: readonly string[]): string {
  if (!paths.every(mayRead)) return printed("cat", paths);
  return orNothing(() => paths.map((path) => Deno.readTextFileSync(path)).join("")) ?? "";
}

function isThere(path: string): boolean {
  return mayRead(path) && orNothing(() => Deno.statSync(path)) !== undefined;
}

/** What can be read of this machine. Never fails: what may not be read is as if it were not there. */
export function readMachine(backend?: string): Machine {
  const { os } = Deno.build;
  if (os !== "linux") {
    return { os, backend, pci: "", devices: [], files: [], manifests: [], loader: true };
  }
  return {
    ...{ os, backend },
    pci: textOf(namesIn(PCI).map((name) => `${PCI}/${name}/uevent`)),
    devices: [...namesIn("/dev"), ...namesIn("/dev/dri").map((name) => `dri/${name}`)],
    files: DRIVER_FILES.filter(isThere).map((path) => path.slice(path.lastIndexOf("/") + 1)),
    manifests: MANIFESTS.flatMap(namesIn),
    loader: LIBRARIES.some((folder) => isThere(`${folder}/libvulkan.so.1`)),
  };
}

/**
 * One sentence on the GPU that should have been taken in the place of `adapter`, an adapter's name;
 * nothing where there is none. For the warning of runs.
 */
export function passedOverWarning(adapter: string, backend?: string): string | undefined {
  return passedOver(readMachine(backend), adapter).map(passedOverWords)[0];
}

/** The version of NVIDIA's part of the kernel; nothing where it cannot be told. */
export function kernelDriver(): string | undefined {
  const text = textOf(["/proc/driver/nvidia/version"]);
  const version = text.match(/Kernel Module .*?(\d+\.[\d.]+)/)?.[1];
  return version && `NVIDIA ${version}`;
}
