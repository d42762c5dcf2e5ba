import { UsageError } from "../../train/errors.ts";
import { convolutions, LARGE_TASKS, type StepTask, type Task } from "../work.ts";

/** A part of the measurement; its limit is its share of the time that is left. */
export const PARTS = ["steps", "convolutions", "twins", "accuracy", "profile"] as const;

/** One of {@link PARTS}. */
export type Part = typeof PARTS[number];

/** How the time goes to parts: what one leaves goes to those behind it. */
export const SHARES: Readonly<Record<Part, number>> = {
  steps: 0.36,
  convolutions: 0.22,
  twins: 0.18,
  accuracy: 0.13,
  profile: 0.11,
};

/** The parts in which libraries are given the same work. */
export const TASK_PARTS = ["steps", "convolutions", "twins"] as const;

/** One of {@link TASK_PARTS}. */
export type TaskPart = typeof TASK_PARTS[number];

/** A step that is looked into, as the words of `bench step`. */
export interface ProfiledStep {
  readonly name: string;
  readonly words: readonly string[];
}

/** What is measured. */
export interface Plan {
  /** Work by part: steps of the base network alone, convolutions, steps of both networks. */
  readonly tasks: Readonly<Record<TaskPart, readonly Task[]>>;
  /** Measurements of each column in turn. */
  readonly repeats: Readonly<Record<TaskPart, number>>;
  /** Words of `train` for the accuracies, and its seeds. */
  readonly training: readonly string[];
  readonly seeds: readonly number[];
  readonly profiles: readonly ProfiledStep[];
}

function isStep(task: Task): task is StepTask {
  return task.kind === "step";
}

/** The same step of both networks. */
function withTwin(task: StepTask): StepTask {
  return { ...task, name: `${task.name}, with its twin`, compression: 4 };
}

/** The large step of a model. */
function largeStep(model: string): StepTask {
  const found = LARGE_TASKS.filter(isStep).find((task) => task.model === model);
  if (!found) throw new TypeError(`Cannot plan: there is no large step of ${model}`);
  return found;
}

/** What bounds speak of. */
export const RESNET50: StepTask = largeStep("resnet50");

/** Likewise. */
export const RESNET18: StepTask = largeStep("resnet18");

function profiled(name: string, { model, batch, size, ...task }: StepTask): ProfiledStep {
  const stem = task.blocks === "residual" ? ["--stem", task.stem] : [];
  const sizes = ["--batch", `${batch}`, "--image-size", `${size}`, "--repeats", "3"];
  return {
    name,
    words: ["--profile", "--mode", "plain", "--model", model, ...stem, ...sizes],
  };
}

/** The whole measurement, for a card. */
export const CARD: Plan = {
  tasks: {
    steps: [RESNET50, RESNET18],
    convolutions: LARGE_TASKS.filter((task) => !isStep(task)),
    twins: [withTwin(RESNET50), withTwin(RESNET18)],
  },
  repeats: { steps: 5, convolutions: 3, twins: 5 },
  training: [],
  seeds: [0, 1, 2],
  profiles: [profiled("resnet50", RESNET50), profiled("resnet18", RESNET18)],
};

const TINY: StepTask = {
  ...RESNET18,
  name: "step of ResNet-8, 12x12, batch 4",
  model: "resnet8",
  ...{ widths: [16, 32, 64], depths: [1, 1, 1], size: 12, batch: 4 },
};

/** Every part in a size for a software adapter, to see that all of it works. */
export const TRIAL: Plan = {
  tasks: {
    steps: [TINY],
    convolutions: convolutions(2, [[3, 8, 8, 8]], ", batch 2"),
    twins: [withTwin(TINY)],
  },
  repeats: { steps: 1, convolutions: 1, twins: 1 },
  training: [
    ...["--model", "resnet8", "--train-size", "32", "--val-size", "16", "--batch-size", "8"],
    ...["--image-size", "12", "--epochs", "1"],
  ],
  seeds: [0],
  profiles: [profiled("resnet8", TINY)],
};

/** The parts that a flag names, with commas between, in their order. Raises a `UsageError`. */
export function partsOf(text: string): Part[] {
  const names = text.split(",");
  const unknown = names.find((name) => !PARTS.some((part) => part === name));
  if (unknown === undefined) return PARTS.filter((part) => names.includes(part));
  throw new UsageError(`--parts is some of ${PARTS.join(", ")}, found ${unknown}`);
}

/** The milliseconds of a part, the first of some, out of those that are left. */
export function timeFor([part, ...behind]: readonly Part[], left: number): number {
  const all = [part, ...behind].reduce((sum, part) => sum + SHARES[part], 0);
  return left * SHARES[part] / all;
}
