/** The implementations of WebGPU that a command may run on: Deno's own, wgpu, and Chromium's, Dawn. */
export const IMPLEMENTATIONS = ["deno", "dawn"] as const;

/** The name of an implementation. */
export type Implementation = typeof IMPLEMENTATIONS[number];
