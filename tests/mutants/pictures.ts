import type { Mutant } from "./mutant.ts";

const CACHE = "pictures/disk_cache.ts";
const POOL = "tests/picture_pool_test.ts";
const KEPT = { file: POOL, name: "entries of the cache that are broken, old or deleted" };

/** What would go wrong with pictures in files. */
export const PICTURES: readonly Mutant[] = [
  {
    name: "strict runs go on after the first broken picture",
    file: "pictures/left_out.ts",
    find: "broken.length > 0",
    replace: "broken.length > 1",
    test: { file: POOL, name: "strict runs end with the first broken picture" },
  },
  {
    name: "a folder that is gone is taken for broken pictures",
    file: "pictures/file_pictures.ts",
    find: 'decoded.kind === "missing"',
    replace: 'decoded.kind === "broken"',
    test: { file: POOL, name: "a folder that is gone ends a run" },
  },
  {
    name: "a picture that ends its worker spoils those beside it",
    file: "pictures/picture_workers.ts",
    find: "if (task.alone) task.resolve",
    replace: "if (task) task.resolve",
    test: { file: POOL, name: "a picture that ends its worker, or takes too long" },
  },
  {
    name: "entries of the cache are not checked",
    file: CACHE,
    find: "sum === checksum(pixels)",
    replace: "sum >= 0",
    test: KEPT,
  },
  {
    name: "files that have changed are taken from the cache",
    file: CACHE,
    find: "mtime?.getTime()",
    replace: "0",
    test: KEPT,
  },
  {
    name: "all pictures stay in memory",
    file: "pictures/picture_pool.ts",
    find: 'if (cache === "disk" || cache === "none")',
    replace: 'if (cache === "disk")',
    test: { file: "tests/picture_memory_test.ts", name: "ten times as many pictures" },
  },
  {
    name: "onnxruntime leaves another Worker behind",
    file: "export/onnx_runtime.ts",
    find: "globalThis.Worker = Worker;",
    replace: "",
    test: { file: "tests/onnx_test.ts", name: "onnxruntime gives the logits of a network" },
  },
];
