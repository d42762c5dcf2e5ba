// Puts values that are no numbers into the tensors of training steps, from outside.
import type { Random } from "../../data/random.ts";
import { defineKernel } from "../../kernels/gpu/kernel.ts";
import type { Tensor } from "../../kernels/gpu/tensor.ts";
import type { Program } from "../../kernels/program/program.ts";
import type { Scope } from "../../kernels/program/scope.ts";
import type { Trace } from "../../kernels/program/trace.ts";
import type { Parameters } from "../../nn/parameters.ts";
import { Guard } from "../../train/guard.ts";
import { Images } from "../../train/image_feed.ts";
import { type StepOptions, TrainingStep } from "../../train/step.ts";

// aim: (whether to, the value, the quad of x). The first of four is always one of the tensor's own.
const injectKernel = defineKernel({
  name: "inject",
  workgroupSize: 64,
  reads: { aim: "channel" },
  writes: { x: "update" },
  dims: {},
  wgsl: /* wgsl */ `
fn main(workgroup: u32, lane: u32) {
  let aim = aim(0u);
  if (workgroup > 0u || lane > 0u || aim.x == 0.0) { return; }
  let i = u32(aim.z);
  set_x(i, vec4f(aim.y, x(i).yzw));
}`,
});

/** What only one step is given; all else stays where it is put. */
export const TRANSIENT = ["images", "loss", "gradients", "gates gradients"] as const;

type Transient = typeof TRANSIENT[number];

/** Tensors of one name, and how values are put there. */
interface Target {
  /** Draws a quad, and the name of the tensor that has it. */
  readonly draw: (random: Random) => readonly [quad: number, name: string];
  readonly aim: Tensor;
  /** Where it is not part of the step. */
  readonly program?: Program;
}

function inject(trace: Trace, x: Tensor, aim: Tensor): void {
  trace.run(injectKernel, { reads: { aim }, writes: { x }, dims: {}, workgroups: 1 });
}

/** Draws a quad of one of some tensors that lie in one. */
function within(of: Parameters): Target["draw"] {
  return (random) => {
    const { name } = of.specs[random.integer(of.specs.length)];
    const tensor = of.get(name);
    const start = ((tensor.storage?.offset ?? 0) - (of.flat.storage?.offset ?? 0)) / 16;
    return [start + random.integer(tensor.quads), name];
  };
}

/** A training step with all that values can be put into. */
class Injected {
  readonly #scope: Scope;
  readonly #targets = new Map<string, Target>();
  /** Draw a quad of the gradients. */
  readonly draws: readonly Target["draw"][];

  constructor(scope: Scope, { learner, gates }: StepOptions) {
    this.#scope = scope;
    this.draws = [learner, ...gates ? [gates] : []].map(({ gradients }) => within(gradients));
  }

  #add(place: string, draw: Target["draw"], program?: Program): Tensor {
    const aim = this.#scope.tensor(`aim at ${place}`, [4]);
    this.#targets.set(place, { draw, aim, program });
    return aim;
  }

  /** Records a place within the step. */
  within(trace: Trace, place: Transient, x: Tensor, draw?: Target["draw"]): void {
    // Images of which there are two kinds, as a teacher's, are one place.
    const aim = this.#targets.get(place)?.aim ??
      this.#add(place, draw ?? ((random) => [random.integer(x.quads), ""]));
    inject(trace, x, aim);
  }

  /** Adds a place beside the step. */
  async beside(place: string, x: Tensor, draw?: Target["draw"]): Promise<void> {
    const aim = this.#add(place, draw ?? ((random) => [random.integer(x.quads), ""]));
    const target = this.#targets.get(place)!;
    const program = await this.#scope.trace(`inject ${place}`, (trace) => inject(trace, x, aim));
    this.#targets.set(place, { ...target, program });
  }

  get places(): string[] {
    return [...this.#targets.keys()];
  }

  /** Puts a value into a place, until {@link clear}; gives the name of the tensor. */
  put(place: string, value: number, random: Random): string {
    const target = this.#targets.get(place);
    if (!target) throw new TypeError(`There is no place ${place}, found ${this.places}`);
    const [quad, name] = target.draw(random);
    this.#scope.write(target.aim, [1, value, quad, 0]);
    target.program?.replay();
    if (target.program) this.#scope.write(target.aim, [0, 0, 0, 0]);
    return name ? `${place}/${name}` : place;
  }

  clear(place: string): void {
    const target = this.#targets.get(place);
    if (target) this.#scope.write(target.aim, [0, 0, 0, 0]);
  }
}

/** What is put where, and when. */
export interface Aim {
  /** A group of tensors in a training state, as "velocity", a single one, or one of {@link TRANSIENT}. */
  readonly place: string;
  readonly value: number;
  readonly random: Random;
  /** Whether to at a step, counted from 0 over all that are begun. */
  readonly at: (step: number) => boolean;
}

/**
 * While it lasts, all training steps that are traced can be injected into, and those that are run
 * are by {@link Injection.aim}.
 */
export class Injection implements Disposable {
  readonly #undo: (() => void)[] = [];
  readonly #steps = new WeakMap<TrainingStep, Injected>();
  /** The step that is being traced. */
  #tracing?: Injected;
  #aim?: Aim;
  #begun = 0;
  /** Names of the tensors that were hit. */
  readonly hits: string[] = [];
  /** Is told that a run goes back: steps forget what they have lost. */
  wentBack: () => void = () => {};
  /** All places of the step that was traced last. */
  places: readonly string[] = [];

  constructor() {
    this.#replaceTrace();
    this.#replaceRun();
    const { record } = Images.prototype;
    const { decide } = Guard.prototype;
    const tracing = (): Injected | undefined => this.#tracing;
    Images.prototype.record = function (trace, normalization) {
      const images = record.call(this, trace, normalization);
      tracing()?.within(trace, "images", images);
      return images;
    };
    Guard.prototype.decide = function (trace, options) {
      const { losses, gradients: [own, gates] } = options;
      const step = tracing();
      step?.within(trace, "loss", losses);
      step?.within(trace, "gradients", own, step.draws[0]);
      if (gates) step?.within(trace, "gates gradients", gates, step.draws[1]);
      decide.call(this, trace, options);
    };
    this.#undo.push(() => {
      Images.prototype.record = record;
      Guard.prototype.decide = decide;
    });
  }

  #replaceTrace(): void {
    const { trace } = TrainingStep;
    TrainingStep.trace = async (scope: Scope, options: StepOptions) => {
      const injected = this.#tracing = new Injected(scope, options);
      try {
        const step = await trace.call(TrainingStep, scope, options);
        const { learner, gates } = options;
        for (const part of [learner, step, ...gates ? [gates] : []]) {
          for (const [name, of] of Object.entries(part.groups)) {
            await injected.beside(name, of.flat, within(of));
          }
          for (const [name, tensor] of Object.entries("singles" in part ? part.singles : {})) {
            // What guards a step is set anew by each.
            if (tensor.type === "f32" && name !== "guard") await injected.beside(name, tensor);
          }
        }
        this.#steps.set(step, injected);
        this.places = injected.places;
        return step;
      } finally {
        this.#tracing = undefined;
      }
    };
    this.#undo.push(() => TrainingStep.trace = trace);
  }

  #replaceRun(): void {
    const { run } = TrainingStep.prototype;
    const before = (step: TrainingStep): void => this.#before(step);
    const after = (step: TrainingStep): void => this.#after(step);
    const isBegun = new WeakSet<TrainingStep>();
    TrainingStep.prototype.run = function (batch, rates) {
      if (!isBegun.has(this)) before(this);
      isBegun.add(this);
      const done = run.call(this, batch, rates);
      if (!done) return false;
      isBegun.delete(this);
      after(this);
      return true;
    };
    const { forget } = TrainingStep.prototype;
    const wentBack = (): void => this.wentBack();
    TrainingStep.prototype.forget = function () {
      isBegun.delete(this);
      forget.call(this);
      wentBack();
    };
    this.#undo.push(() => Object.assign(TrainingStep.prototype, { run, forget }));
  }

  #before(step: TrainingStep): void {
    const n = this.#begun++;
    const aim = this.#aim;
    if (!aim?.at(n)) return;
    const hit = this.#steps.get(step)?.put(aim.place, aim.value, aim.random);
    if (hit !== undefined) this.hits.push(hit);
  }

  #after(step: TrainingStep): void {
    if (this.#aim) this.#steps.get(step)?.clear(this.#aim.place);
  }

  /** Sets what is put into the steps of the run that begins. */
  aim(aim: Aim): void {
    this.#aim = aim;
    this.#begun = 0;
    this.hits.length = 0;
  }

  [Symbol.dispose](): void {
    for (const undo of this.#undo.splice(0)) undo();
  }
}
