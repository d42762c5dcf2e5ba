import type { Mutant } from "./mutant.ts";

const CARD = "tests/card_test.ts";
const BENCH = "tests/bench_test.ts";
const USUAL = {
  file: BENCH,
  name: "what people run has a table of its own, before that of others",
};
const BOUNDS = { file: CARD, name: "each bound is reached, not reached or not measured" };

/** Benches that say what was not measured, or wait for ever. */
export const BENCHES: readonly Mutant[] = [
  {
    name: "a comparison says how many times ours others take, not ours theirs",
    file: "bench/usual_table.ts",
    find: "(ms / theirs)",
    replace: "(theirs / ms)",
    test: USUAL,
  },
  {
    name: "a graph is what times are compared with",
    file: "bench/usual_table.ts",
    find: "if (against === undefined || theirs === undefined) return [];",
    replace: "if (theirs === undefined) return [];",
    test: USUAL,
  },
  {
    name: "a peer that was ended is given more work",
    file: "bench/peer.ts",
    find: "this.#ended = true;",
    replace: "",
    test: { file: BENCH, name: "a peer is asked line by line, and its last words are its reason" },
  },
  {
    name: "a bound from below is one from above",
    file: "bench/card/bounds.ts",
    find: 'at === "most" ? value <= limit',
    replace: 'at !== "most" ? value <= limit',
    test: BOUNDS,
  },
  {
    name: "the fastest of wide convolutions counts",
    file: "bench/card/bounds.ts",
    find: "Math.min(...speeds)",
    replace: "Math.max(0, ...speeds.filter(Number.isFinite))",
    test: BOUNDS,
  },
  {
    name: "a training that failed counts with the seeds it has",
    file: "bench/card/bounds.ts",
    find: "accuracy.name === name && !accuracy.note",
    replace: "accuracy.name === name",
    test: BOUNDS,
  },
  {
    name: "what a part leaves of its time is lost",
    file: "bench/card/plan.ts",
    find: "left * SHARES[part] / all",
    replace: "left * SHARES[part]",
    test: {
      file: CARD,
      name: "the time of parts that are left out, or early, goes to those behind",
    },
  },
  {
    name: "bench conv reads float32 in mixed precision",
    file: "bench/conv.ts",
    find: 'return precision === "mixed" ? "f16" : "f32";',
    replace: 'return "f32";',
    test: {
      file: "tests/options_test.ts",
      name: "bench conv --precision changes program, write x",
    },
  },
];
