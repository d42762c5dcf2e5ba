import type { ImageSet } from "../data/image_set.ts";
import { arePictures } from "../data/pictures.ts";
import type { Gpu } from "../kernels/gpu.ts";
import type { Network } from "../nn/network.ts";
import type { State } from "../nn/parameters.ts";
import { widthsOf } from "../nn/compress/adjoin.ts";
import { extract } from "../nn/compress/adjoined_state.ts";
import { encodeWidths } from "../export/widths_file.ts";
import { encodeCheckpoint, parseCheckpoint } from "../export/checkpoint.ts";
import type { CheckpointInfo } from "../export/metadata.ts";
import { entriesOf, isOneOfSeveral } from "../nn/which.ts";
import { demandFiniteState } from "./finite.ts";
import type { ImageWork } from "./image_work.ts";
import type { Job } from "./job.ts";
import type { Learner } from "./learner.ts";
import type { Score, TrainOptions, Verification, Which } from "./types.ts";
import type { ByNetwork } from "../nn/which.ts";
import { compareAll, demandEqual } from "./verify.ts";

/** How validation images were prepared, where that is not as they are. */
function shownAs(
  { cropPct, interpolation }: TrainOptions,
  set: ImageSet,
): Pick<CheckpointInfo, "cropPct" | "interpolation"> {
  if (arePictures(set)) return { cropPct, interpolation };
  return cropPct === 1 ? {} : { cropPct };
}

/** Encodes a network with its values. */
type Encode = (which: Which, network: Network, values: State) => Uint8Array;

/** What encodes the networks of a job as the files that are saved. */
export function encoderOf(
  { options, split: { train, normalization } }: Pick<Job, "options" | "split">,
  scores: ByNetwork<Score>,
): Encode {
  return (which, network, values) =>
    encodeCheckpoint(network, values, {
      classes: train.classes,
      image: [train.height, train.width, train.channels],
      normalization,
      ...shownAs(options, train),
      which,
      top1: scores[which]?.top1,
    });
}

/** Files of the widths, by name, where small networks keep other filters than the first. */
export function widthsFiles(
  { options, pairs }: Pick<Job, "options" | "pairs">,
): [string, Uint8Array][] {
  const { importance = "first", model, stem, variant, trunk, maskFrom } = options;
  if (importance === "first") return [];
  // The small network does not say which of the base network's filters it has.
  return pairs.map((pair) => {
    const kept = { model, stem, variant, trunk, maskFrom, widths: widthsOf(pair) };
    const name = isOneOfSeveral(pair.which) ? `${pair.which}-widths.json` : "widths.json";
    return [name, new TextEncoder().encode(encodeWidths(kept))];
  });
}

/** Encodes the trained networks; the small one of a pair is extracted and proven equal. */
export async function finish(
  gpu: Gpu,
  job: Job,
  { learner, scores, verifying }: {
    learner: Learner;
    scores: ByNetwork<Score>;
    /** Gives what is told how far the verification is. */
    verifying?: () => ImageWork;
  },
): Promise<{ files: Map<string, Uint8Array>; verify: ByNetwork<Verification> }> {
  const { options, pairs, objective, validationFeed: feed } = job;
  const weights = learner.measured;
  const state = await weights.read();
  demandFiniteState(state, options);
  const encode = encoderOf(job, scores);
  const files = new Map(widthsFiles(job));
  if (objective.mode === "search") {
    throw new TypeError("Cannot save what a search trains: it has not been cut to its widths");
  }
  if (objective.mode === "finetune") {
    throw new TypeError("Cannot save what a fine-tuning trains without its base network");
  }
  if (objective.mode !== "adjoined") {
    const { which, network } = objective;
    files.set(`${which}.safetensors`, encode(which, network, state));
    return { files, verify: {} };
  }
  const [{ base }] = pairs;
  files.set("base.safetensors", encode("base", base, state));
  const twins = pairs.map((adjoined) => {
    const { which, small } = adjoined;
    const name = `${which}.safetensors`;
    const bytes = encode(which, small, extract(adjoined, state));
    files.set(name, bytes);
    // What is verified is what is saved: the bytes, read again.
    return { adjoined, extracted: parseCheckpoint(bytes, name) };
  });
  const verify = await compareAll(gpu, { twins, weights, feed, work: verifying?.() });
  for (const [which, found] of entriesOf(verify)) {
    demandEqual(found, which);
  }
  return { files, verify };
}
