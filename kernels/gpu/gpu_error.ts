import { type Curable, type Cure, cure, curesInWords } from "../../data/cure.ts";

/** A GPU that is missing, is lost, refuses a kernel, or runs out of memory. */
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

/** A device that is gone, with all of its memory; another one may be opened. */
export class DeviceLostError extends GpuError {
  /** The driver's own words, or what stands for them. */
  readonly reason: string;

  /** Says why it is gone. */
  constructor(reason: string, options?: ErrorOptions) {
    super(`The GPU is lost and its memory with it: ${reason}; start again`, options);
    this.reason = reason;
  }
}

/** An allocation that did not succeed. */
export interface FailedAllocation {
  /** What was to be allocated. */
  readonly what: string;
  /** Its bytes; absent where the GPU does not tell what had no room. */
  readonly asked?: number;
  /** Bytes in use when it was asked for. */
  readonly live: number;
}

/** What needs less memory, where nothing more is known. */
const CURES: readonly Cure[] = [
  cure`lower ${{ option: "batchSize", words: "the batch" }}`,
  cure`lower ${{ option: "imageSize", words: "the size of images" }}`,
  cure`take a smaller ${{ option: "model" }}`,
];

/** A GPU without room for what is asked of it; what was allocated before is as it was. */
export class OutOfMemoryError extends GpuError implements Curable, FailedAllocation {
  /** What was to be allocated. */
  readonly what: string;
  /** Its bytes; absent where the GPU does not tell what had no room. */
  readonly asked?: number;
  /** Bytes in use when it was asked for. */
  readonly live: number;
  /** The message without its cure. */
  readonly problem: string;
  /** The option that is to blame before others. */
  readonly option: string = "batchSize";
  /** What to do: one of these. */
  readonly cures: readonly Cure[];
  readonly #found: string;

  /** `found` says what the adapter has, and `cures` what to do. */
  constructor(
    { what, asked, live }: FailedAllocation,
    found: string,
    cures: readonly Cure[] = CURES,
  ) {
    const wanted = asked === undefined ? "" : ` it takes ${asked} bytes,`;
    const problem = `Cannot allocate ${what}:${wanted} ${found}`;
    super(`${problem}; ${curesInWords(cures)}`);
    this.what = what;
    this.asked = asked;
    this.live = live;
    this.problem = problem;
    this.cures = cures;
    this.#found = found;
  }

  /** The same error with other cures. */
  curedBy(...cures: readonly Cure[]): OutOfMemoryError {
    return new OutOfMemoryError(this, this.#found, cures);
  }
}
