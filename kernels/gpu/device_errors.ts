import { DeviceLostError, type FailedAllocation, GpuError, OutOfMemoryError } from "./gpu_error.ts";

/** Milliseconds in which a lost device says so after it has failed at something. */
const LOST_WITHIN = 1000;

/** What a device complains about, from when it is opened until {@link DeviceErrors.stop}. */
export class DeviceErrors {
  readonly #device: GPUDevice;
  readonly #adapter: string;
  readonly #live: () => number;
  readonly #listening = new AbortController();
  readonly #pending = new Set<Promise<void>>();
  #refused: string[] = [];
  #full?: OutOfMemoryError;
  #lost?: string;
  readonly #toLose: Promise<void>;

  /** `live` tells the bytes in use. */
  constructor(device: GPUDevice, { adapter, live }: { adapter: string; live: () => number }) {
    this.#device = device;
    this.#adapter = adapter;
    this.#live = live;
    device.addEventListener("uncapturederror", (event) => {
      if (!("error" in event && event.error instanceof Object && "message" in event.error)) return;
      const message = String(event.error.message);
      if (event.error.constructor.name !== "GPUOutOfMemoryError") this.#refused.push(message);
      else this.#outOf({ what: "what a step needs", live: live() }, message);
    }, { signal: this.#listening.signal });
    this.#toLose = device.lost.then(({ message }) => {
      this.#lost = message || "no reason was given";
    });
  }

  #outOf(failed: FailedAllocation, message?: string): void {
    const words = message ? ` (${message})` : "";
    // The first is what all others follow from.
    this.#full ??= new OutOfMemoryError(
      failed,
      `and ${this.#adapter} gives no more than the ${failed.live} in use${words}`,
    );
  }

  /** What `make` makes; that it finds no room is raised by {@link check} later on. */
  allocate<T>(what: string, asked: number, make: () => T): T {
    const failed = { what, asked, live: this.#live() };
    return this.#inScope("out-of-memory", () => {
      try {
        return make();
      } catch (cause) {
        throw this.#lost === undefined
          ? new GpuError(`Cannot allocate ${what}: it takes ${asked} bytes, found ${cause}`, {
            cause,
          })
          : new DeviceLostError(this.#lost, { cause });
      }
    }, ({ message }) => this.#outOf(failed, message));
  }

  /** What `make` compiles; `refused` is told of a kernel that does not. */
  compile<T>(name: string, make: () => T, refused: () => void): T {
    return this.#inScope("validation", make, ({ message }) => {
      refused();
      this.#refused.push(`kernel ${name}: ${message}`);
    });
  }

  #inScope<T>(filter: GPUErrorFilter, make: () => T, failed: (error: GPUError) => void): T {
    this.#device.pushErrorScope(filter);
    try {
      return make();
    } finally {
      const popped = this.#device.popErrorScope().then(
        (error) => void (error && failed(error)),
        // A device that is lost has no scopes any more.
        (error) => this.#told(error),
      ).finally(() => this.#pending.delete(popped));
      this.#pending.add(popped);
    }
  }

  async #told(error: unknown): Promise<void> {
    await this.#lostSoon();
    if (this.#lost === undefined) this.#refused.push(String(error));
  }

  /** Waits until the device has said that it is lost, where it does so soon. */
  async #lostSoon(): Promise<void> {
    let timer;
    const late = new Promise<void>((resolve) => timer = setTimeout(resolve, LOST_WITHIN));
    await Promise.race([this.#toLose, late]);
    clearTimeout(timer);
  }

  /** Waits for the outcome of all that was compiled and allocated. */
  async settle(): Promise<void> {
    await Promise.all(this.#pending);
  }

  /** Raises the first complaint since the last check, or that the device is lost. */
  check(): void {
    const [full, [refused]] = [this.#full, this.#refused];
    this.#full = undefined;
    this.#refused = [];
    // What has no room is refused everywhere after that, and may take the device with it.
    if (full) throw full;
    if (this.#lost !== undefined) throw new DeviceLostError(this.#lost);
    if (refused !== undefined) throw new GpuError(`The GPU refused its work: ${refused}`);
  }

  /** The reason why the device failed at something: raises that, or else the failure itself. */
  async explain(cause: unknown): Promise<never> {
    // Why arrives later than that.
    await new Promise((resolve) => setTimeout(resolve));
    await this.settle();
    this.check();
    await this.#lostSoon();
    this.check();
    throw new GpuError(`The GPU did not finish its work: ${cause}`, { cause });
  }

  /** Listens no more. */
  stop(): void {
    this.#listening.abort();
  }
}
