import type { Mutant } from "./mutant.ts";

const STREAMED = "tests/picture_batches_test.ts";
const FEED = "tests/image_feed_test.ts";

/** Faults in how batches of pictures are put together, and in what networks see of them. */
export const PICTURE_BATCHES: readonly Mutant[] = [
  {
    name: "a broken picture has nothing in its place",
    file: "data/picture_batches.ts",
    find: "const place = order[(position + k) % order.length];",
    replace: "const place = order[(position + 2 * k) % order.length];",
    test: { file: STREAMED, name: "stands in for a broken one" },
  },
  {
    name: "validation counts the pictures that fill the last batch",
    file: "data/picture_batches.ts",
    find: "    yield rows.batch(row);",
    replace: "    yield rows.batch(rows.length);",
    test: { file: STREAMED, name: "validation leaves broken pictures out" },
  },
  {
    name: "all pictures of an epoch are asked for at once",
    file: "data/picture_batches.ts",
    find: "    if (waiting.length < ahead) continue;",
    replace: "    if (waiting.length < ahead * 1000) continue;",
    test: { file: STREAMED, name: "than some batches ahead" },
  },
  {
    name: "an image that is shown twice is shown alike",
    file: "data/epoch_walk.ts",
    find: 'sampler === "balanced" ? `, position ${position}` : ""',
    replace: '""',
    test: { file: STREAMED, name: "shows an image again in another crop" },
  },
  {
    name: "a crop is drawn for a place of the batch",
    file: "data/epoch_walk.ts",
    find: "image ${place}${showing}`",
    replace: "image ${position}${showing}`",
    test: { file: STREAMED, name: "in its slot, with its size, label and crop" },
  },
  {
    name: "sizes of pictures do not reach the GPU",
    file: "train/image_feed.ts",
    find: "if (this.#sizes && sizes) this.#scope.write(this.#sizes, sizes);",
    replace: "if (this.#sizes && sizes) this.#scope.write(this.#sizes, sizes.map(() => 7));",
    test: { file: FEED, name: "as the references of the ops say" },
  },
  {
    name: "stages are left out",
    file: "train/image_feed.ts",
    find: "all.forEach((stage, i) => images",
    replace: "all.slice(1).forEach((stage, i) => images",
    test: { file: FEED, name: "as the references of the ops say" },
  },
  {
    name: "mixed images keep their label alone",
    file: "train/image_feed.ts",
    find: "labels.toReversed()",
    replace: "labels",
    test: { file: FEED, name: "the labels of their partners" },
  },
  {
    name: "reducing is not antialiased",
    file: "kernels/ops/sample_pictures.ts",
    find: "let stretch = clamp(abs(crop.zw), vec2f(1.0), vec2f(${MOST_STRETCH}.0));",
    replace: "let stretch = vec2f(1.0);",
    test: { file: FEED, name: "as the references of the ops say" },
  },
  {
    name: "jittered pictures lose contrast around another mean",
    file: "kernels/ops/color_jitter.ts",
    find: "if (which == 1u) { break; }",
    replace: "if (which == 0u) { break; }",
    test: { file: FEED, name: "as the references of the ops say" },
  },
];
