/** Buffer usages, as in the WebGPU specification. */
export const USAGE = {
  MAP_READ: 1,
  COPY_SRC: 4,
  COPY_DST: 8,
  UNIFORM: 64,
  STORAGE: 128,
  QUERY_RESOLVE: 512,
} as const;

/** Texture usages, as in the WebGPU specification. */
export const TEXTURE_USAGE = { COPY_DST: 2, STORAGE_BINDING: 8 } as const;
