/** An object of WebGPU with the members that are called here, and no others. */
export function standIn<T>(members: Partial<Record<keyof T, unknown>>): T {
  return members as T;
}
