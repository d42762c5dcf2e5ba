/** A GPU that is missing, refuses a kernel, or runs out of memory. */
export class GpuError extends Error {
  /** "GpuError", as printed before the message. */
  override readonly name: string = "GpuError";
}

const INSTALL = "on Debian `apt-get install libvulkan1 mesa-vulkan-drivers` installs one";

/** No adapter: neither a GPU nor a driver that plays one. */
export class NoAdapterError extends GpuError {
  /** The command that installs an adapter, in words. */
  readonly cure: string = INSTALL;

  /** Says what is missing, and what installs it. */
  constructor() {
    super(
      "Cannot start as there is no WebGPU adapter: wanted a GPU or a software Vulkan driver, " +
        `found none; ${INSTALL}`,
    );
  }
}
