import type { Mutant } from "./mutant.ts";

const STOPPED = { file: "tests/training_states_test.ts", name: "a run that was stopped twice" };
const WITH_ALL = { file: "tests/training_states_test.ts", name: "so does one with an average" };
const AVERAGE = { file: "tests/training_states_test.ts", name: "the average of the weights moves" };
const CLIP = { file: "tests/training_states_test.ts", name: "--clip-grad scales all gradients" };
const PARTS = { file: "tests/training_states_test.ts", name: "a batch in parts gives the mean" };
const BEST = { file: "tests/training_states_test.ts", name: "--select best takes the networks" };
const PATIENCE = { file: "tests/training_states_test.ts", name: "--patience stops a run" };
const DIVERGES = {
  file: "tests/training_states_test.ts",
  name: "a run that diverges goes back twice",
};

/** What a run goes on from, and steps that do not count. */
export const TRAINING_STATES: readonly Mutant[] = [
  {
    name: "moments are corrected as in a new run after a stop",
    file: "train/learner.ts",
    find: 'this.#steps = numbers["optimizer steps"];',
    replace: "",
    test: STOPPED,
  },
  {
    name: "the sums of an epoch that has begun are not kept",
    file: "train/step.ts",
    find: "return { tally: this.#parts.tally };",
    replace: "return {};",
    test: STOPPED,
  },
  {
    name: "a run goes on from the beginning of an epoch",
    file: "train/epoch.ts",
    find: "batches.epoch(epoch, first * accumulation)",
    replace: "batches.epoch(epoch)",
    test: STOPPED,
  },
  {
    name: "a run with parts of batches goes on at the wrong image",
    file: "train/epoch.ts",
    find: "batches.epoch(epoch, first * accumulation)",
    replace: "batches.epoch(epoch, first)",
    test: WITH_ALL,
  },
  {
    name: "an average begins anew after a stop",
    file: "train/learner.ts",
    find:
      '...average && { average: average.parameters, "average statistics": average.statistics },',
    replace: "",
    test: WITH_ALL,
  },
  {
    name: "an average is not of running statistics",
    file: "train/learner.ts",
    find: "run(movingAverage, [average.statistics.flat, statistics.flat, guard, share], {});",
    replace: "",
    test: AVERAGE,
  },
  {
    name: "an average stays at the first weights of a short run",
    file: "train/learner.ts",
    find: "Math.min(this.#decay, (1 + this.#steps) / (10 + this.#steps))",
    replace: "this.#decay",
    test: AVERAGE,
  },
  {
    name: "gradients are not clipped",
    file: "kernels/ops/guard_step.ts",
    find: "clip: attributes.clip ?? NO_CLIP",
    replace: "clip: NO_CLIP",
    test: CLIP,
  },
  {
    name: "gradients of parts are added up, not averaged",
    file: "train/step.ts",
    find: "[1 / accumulation]",
    replace: "[1]",
    test: PARTS,
  },
  {
    name: "only the last part of a batch counts",
    file: "train/step.ts",
    find: "{ accumulate: accumulation > 1 }",
    replace: "{}",
    test: PARTS,
  },
  {
    name: "--select best takes the last networks",
    file: "train/epochs.ts",
    find: "goOn(run, state);\n      reporter.note(`taking",
    replace: "reporter.note(`taking",
    test: BEST,
  },
  {
    name: "--patience waits one epoch longer",
    file: "train/epochs.ts",
    find: "bestEpoch(own, judged(run)) >= patience",
    replace: "bestEpoch(trained, judged(run)) > patience",
    test: PATIENCE,
  },
  {
    name: "steps in a row that do not count are never too many",
    file: "train/epoch.ts",
    find: "if (inRow >= MOST_LOST) throw",
    replace: "if (inRow > MOST_LOST) throw",
    test: { file: "tests/wrong_numbers_test.ts", name: "values that are no numbers" },
  },
  {
    name: "a run that goes back keeps its learning rate",
    file: "train/resume/saving.ts",
    find: "2 ** -this.failures",
    replace: "1",
    test: DIVERGES,
  },
  {
    name: "a checkpoint may hold what is no number",
    file: "train/resume/saving.ts",
    find: "if (wrong) throw divergedAt(wrong, position, this.#job.options);",
    replace: "",
    test: { file: "tests/wrong_numbers_test.ts", name: "values that are no numbers" },
  },
];
