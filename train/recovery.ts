import { printable } from "../data/printable.ts";
import { plural } from "../data/words.ts";
import { DeviceLostError, Gpu, GpuError } from "../kernels/gpu.ts";
import type { Keeper } from "./resume/keeper.ts";
import type { TrainingState } from "./resume/training_state.ts";

/** Seconds before another device is opened: a driver that resets takes some. */
const WAITS = [0, 2, 10];

/** How a run gets another device in place of one that is lost. */
export interface RecoveryOptions {
  /** Has the state that a run goes on from. */
  readonly keeper: Keeper;
  /** Is told of each loss. */
  readonly note: (text: string) => void;
  /** Opens a device. Default: that of the fastest adapter. */
  readonly open?: () => Promise<Gpu>;
  /** Seconds to wait before each attempt without a new checkpoint; as many attempts are made. */
  readonly waits?: readonly number[];
}

/** A GPU that is replaced when it is lost. */
export class Recovery implements Disposable {
  readonly #options: RecoveryOptions;
  #gpu?: Gpu;

  /** Opens nothing yet. */
  constructor(options: RecoveryOptions) {
    this.#options = options;
  }

  /** The device that is in use, or a new one. */
  async gpu(): Promise<Gpu> {
    return this.#gpu ??= await (this.#options.open ?? Gpu.open)();
  }

  /** Frees the device and all of its memory; {@link gpu} opens another one. */
  [Symbol.dispose](): void {
    this.#gpu?.destroy();
    this.#gpu = undefined;
  }

  /**
   * Does a run, and goes on with it from the last state it has kept each time the device is lost;
   * `from` is where it begins. Raises a {@link GpuError} that says where that state is after some
   * attempts that have kept no other.
   */
  async run<T>(
    run: (gpu: Gpu, from?: TrainingState) => Promise<T>,
    from?: TrainingState,
  ): Promise<T> {
    const { keeper, note, waits = WAITS } = this.#options;
    let [state, attempts] = [from, 0];
    for (;;) {
      try {
        return await run(await this.gpu(), state);
      } catch (error) {
        // Without a device in use, it is opening one that failed.
        const opening = attempts > 0 && !this.#gpu && error instanceof GpuError;
        if (!(error instanceof DeviceLostError) && !opening) throw error;
        this[Symbol.dispose]();
        await keeper.settled();
        const last = await keeper.last() ?? from;
        if (placeOf(last) !== placeOf(state)) attempts = 0;
        state = last;
        const reason = printable(error instanceof DeviceLostError ? error.reason : error.message);
        if (attempts === waits.length) throw this.#givenUp(reason, error);
        note(`the GPU was lost: ${reason}; going on ${fromWhere(state)} with another one`);
        const seconds = waits[attempts++];
        await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
      }
    }
  }

  #givenUp(reason: string, cause: unknown): GpuError {
    const { keeper, waits = WAITS } = this.#options;
    const where = keeper.where();
    return new GpuError(
      `Cannot go on: the GPU was lost ${
        plural(waits.length + 1, "time")
      } without a new checkpoint ` +
        `between, found ${reason}; ` +
        (where
          ? `go on later, the last checkpoint is in ${printable(where, 300)}`
          : "start again, as there was no checkpoint yet"),
      { cause },
    );
  }
}

/** Where a state is, so that two of the same run can be told apart. */
function placeOf(state?: TrainingState): string {
  if (!state) return "";
  const { phase, position: { epoch, step } } = state;
  return `${phase} ${epoch} ${step}`;
}

function fromWhere(state?: TrainingState): string {
  const { epoch, step } = state?.position ?? { epoch: 0, step: 0 };
  if (epoch === 0 && step === 0) return "from the beginning";
  return step ? `from step ${step} of epoch ${epoch + 1}` : `from the end of epoch ${epoch}`;
}
