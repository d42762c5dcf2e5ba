import { messageOf } from "../../data/message_of.ts";
import { DataError } from "../../data/error.ts";
import { printable } from "../../data/printable.ts";
import { PICTURE_SET_NAMES } from "../../data/recipes.ts";
import { safetensorsMetadata } from "../../data/safetensors.ts";
import { type Checkpoint, parseCheckpoint } from "../../export/checkpoint.ts";
import { checkedInfo, type CheckpointInfo } from "../../export/metadata.ts";
import { elements } from "../../kernels/gpu/tensor.ts";
import { adjoinedSpecs, extract } from "../../nn/compress/adjoined_state.ts";
import { sizesOf } from "../../nn/count.ts";
import type { Network } from "../../nn/network.ts";
import type { State } from "../../nn/parameters.ts";
import { networkSpecs, type StateSpecs, storedState } from "../../nn/state.ts";
import { wrongValue } from "../../nn/wrong_value.ts";
import { FROZEN_GROUPS, isFineTuning } from "../frozen_base.ts";
import { networkOfRun } from "../model_file.ts";
import { specsOf, valuesOfTuned } from "../objective.ts";
import { baseOf, pairsFor } from "../pair.ts";
import type { Which } from "../types.ts";
import {
  isTrainingState,
  parseTrainingState,
  type RunOfState,
  type TrainingState,
} from "./training_state.ts";

/** Whether a state is one of a search, whose small network has no widths yet. */
export function isOfSearch({ phase }: Pick<TrainingState, "phase">): boolean {
  return /^search(-\d+)?$/.test(phase);
}

/** What a run trains that is saved at its end. */
interface Trained {
  /** Names and shapes of its values. */
  readonly specs: StateSpecs;
  /** Each network, and its part of those values. */
  readonly networks: readonly (readonly [Which, Network, (state: State) => State])[];
  /** Of a fine-tuning: the base network, whose values are in groups of their own. */
  readonly frozen?: Network;
}

/** A network whose values are under its own names. */
function own(which: Which, network: Network): Trained["networks"][number] {
  return [which, network, (state) => storedState(network, state)];
}

function alone(which: Which, network: Network): Trained {
  return { specs: networkSpecs(network), networks: [own(which, network)] };
}

function trainedOf(state: TrainingState): Trained {
  const { options, classes, image: [height, width, channels] } = state.run;
  const images = { classes, channels };
  const given = networkOfRun(state.run);
  if (isOfSearch(state)) return alone("base", given ?? baseOf(options, images));
  const pairs = pairsFor(options, images, given);
  const [adjoined] = pairs;
  const { base } = adjoined;
  // Raises what is wrong with images of this size.
  sizesOf(base, { height, width });
  const { mode, which } = options;
  if (mode !== "adjoined") {
    const trained = mode === "distill" ? "small" : which;
    return alone(trained, adjoined[trained]);
  }
  if (isFineTuning(state)) {
    return {
      specs: specsOf({ mode: "finetune", smalls: pairs, teacher: base }),
      networks: [
        own("base", base),
        ...pairs.map(({ which, small }): Trained["networks"][number] => [
          which,
          small,
          (values) => valuesOfTuned(which, values),
        ]),
      ],
      frozen: base,
    };
  }
  return {
    specs: adjoinedSpecs(pairs),
    networks: [
      own("base", base),
      ...pairs.map((pair): Trained["networks"][number] => [
        pair.which,
        pair.small,
        (values) => extract(pair, values),
      ]),
    ],
  };
}

const EARLIER = "take an earlier checkpoint";

/** The values that networks are saved with: averages where there are any, else the last ones. */
function valuesOf(
  { tensors }: TrainingState,
  { parameters, statistics }: StateSpecs,
  file: string,
  groups?: readonly [string, string],
): State {
  const averaged = [...tensors.keys()].some((name) => name.startsWith("average/"));
  const trained = averaged ? ["average", "average statistics"] : ["parameters", "statistics"];
  const [learned, counted] = groups ?? trained;
  const all = [
    ...parameters.map((spec) => ({ ...spec, group: learned })),
    ...statistics.map((spec) => ({ ...spec, group: counted })),
  ];
  return new Map(all.map(({ name, shape, group }) => {
    const stored = `${group}/${name}`;
    const values = tensors.get(stored);
    const count = elements(shape);
    if (!(values instanceof Float32Array) || values.length !== count) {
      const found = values === undefined
        ? "none"
        : values.length === count
        ? "whole numbers"
        : values.length;
      throw new DataError(
        `Cannot load ${file}: wanted ${count} floats as ${printable(stored)}, found ${found}; ` +
          EARLIER,
      );
    }
    const wrong = wrongValue(name, values);
    if (!wrong) return [name, values];
    throw new DataError(
      `Cannot load ${file}: wanted ${wrong.wanted}, found ${wrong.found} in ` +
        `${printable(stored)}; ${EARLIER}`,
    );
  }));
}

/** The top-1 of a network, where it was validated with the values of the state. */
function top1Of(
  { history, position: { epoch, step } }: TrainingState,
  which: Which,
): Pick<CheckpointInfo, "top1"> {
  const last = history.at(-1);
  if (!last || step > 0 || last.epoch !== epoch) return {};
  const top1 = last.validation?.[which]?.top1;
  return top1 === undefined ? {} : { top1 };
}

/** How validation pictures were prepared. */
function shownAs(
  { options: { dataset, cropPct, interpolation } }: RunOfState,
): Pick<CheckpointInfo, "cropPct" | "interpolation"> {
  if (PICTURE_SET_NAMES.some((name) => name === dataset)) return { cropPct, interpolation };
  return cropPct === 1 ? {} : { cropPct };
}

/**
 * The networks that a run would save if it ended with a state: base and small ones of adjoined networks, else the one
 * that is trained; of a search the base network alone, as the other has no widths yet. Their weights
 * are the averages where the run keeps some. Raises a {@link DataError} that names `file` for a state
 * that lacks some of them, or whose options describe no networks.
 */
export function networksOfState(state: TrainingState, file: string): Checkpoint[] {
  const shown = printable(file, 300);
  const { classes, image, normalization } = state.run;
  const infoOf = (which: Which): CheckpointInfo =>
    checkedInfo({
      ...{ which, classes, image, normalization },
      ...shownAs(state.run),
      ...top1Of(state, which),
    }, shown);
  let trained: Trained;
  try {
    trained = trainedOf(state);
  } catch (cause) {
    const reason = messageOf(cause);
    throw new DataError(
      `Cannot load ${shown}: its options describe no networks. ${printable(reason, 300)}`,
      { cause },
    );
  }
  const values = valuesOf(state, trained.specs, shown);
  if (trained.frozen) {
    for (
      const [name, data] of valuesOf(state, networkSpecs(trained.frozen), shown, FROZEN_GROUPS)
    ) {
      values.set(name, data);
    }
  }
  return trained.networks.map(([which, network, cut]) => ({
    ...infoOf(which),
    network,
    state: cut(values),
  }));
}

/** What a safetensors file holds. */
export interface NetworksInFile {
  /** One, or those of a checkpoint of a run, the base network before the small one. */
  readonly networks: readonly Checkpoint[];
  /** What the run goes on from, where it is a checkpoint of one. */
  readonly state?: TrainingState;
}

/**
 * Reads a safetensors file: a saved network, or a checkpoint of a run. Raises a {@link DataError} that
 * names `file` for anything else.
 */
export function networksInFile(bytes: Uint8Array, file: string): NetworksInFile {
  if (!isTrainingState(safetensorsMetadata(bytes, file))) {
    return { networks: [parseCheckpoint(bytes, file)] };
  }
  const state = parseTrainingState(bytes, file);
  return { networks: networksOfState(state, file), state };
}

/**
 * The networks in a safetensors file: the one that is saved there, or those of a checkpoint of a run,
 * the base network before the small one. Raises a {@link DataError} that names `file` for anything
 * else.
 */
export function parseNetworks(bytes: Uint8Array, file: string): Checkpoint[] {
  return [...networksInFile(bytes, file).networks];
}
