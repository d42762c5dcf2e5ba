import type { Device } from "./device.ts";

/**
 * A value that a room above the device keeps for each device, for as long as the device is there.
 */
export class PerDevice<T> {
  readonly #values = new WeakMap<Device, T>();
  readonly #first: (device: Device) => T;

  /** `first` makes the value of a device for which none was set. */
  constructor(first: (device: Device) => T) {
    this.#first = first;
  }

  /** The value for a device. */
  of(device: Device): T {
    const known = this.#values.get(device);
    if (known !== undefined) return known;
    const value = this.#first(device);
    this.#values.set(device, value);
    return value;
  }

  /** Sets the value for a device. */
  set(device: Device, value: T): void {
    this.#values.set(device, value);
  }
}
