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
import { isOneOfSeveral } from "../nn/which.ts";
import { demandFiniteState } from "./finite.ts";
import type { ImageWork } from "./image_work.ts";
import type { Job } from "./job.ts";
import type { Learner } from "./learner.ts";
import type { Score, TrainOptions, Verification, Which } from "./types.ts";
import type { ByNetwork } from "../nn/which.ts";
import { compare, demandEqual } from "./verify.ts";

/** How validation images were prepared, where that is not as they are. */
function shownAs(
  { cropPct, interpolation }: TrainOptions,
  set: ImageSet,
): Pick<CheckpointInfo, "cropPct" | "interpolation"> {
  if (arePictures(set)) return { cropPct, interpolation };
  return cropPct === 1 ? {} : { cropPct };
}

/** Encodes the trained networks; the small one of a pair is extracted and proven equal. */
export async function finish(
  gpu: Gpu,
  { options, split: { train, normalization }, pairs, objective, validationFeed: feed }: Job,
  { learner, scores, verifying }: {
    learner: Learner;
    scores: ByNetwork<Score>;
    /** Gives what is told how far the verification is. */
    verifying?: () => ImageWork;
  },
): Promise<{ files: Map<string, Uint8Array>; verify: ByNetwork<Verification> }> {
  const weights = learner.measured;
  const state = await weights.read();
  demandFiniteState(state, options);
  const encode = (which: Which, network: Network, values: State): Uint8Array =>
    encodeCheckpoint(network, values, {
      classes: train.classes,
      image: [train.height, train.width, train.channels],
      normalization,
      ...shownAs(options, train),
      which,
      top1: scores[which]?.top1,
    });
  const files = new Map<string, Uint8Array>();
  const { importance = "first", model, stem, variant, trunk, maskFrom } = options;
  if (importance !== "first") {
    // The small network does not say which of the base network's filters it has.
    for (const pair of pairs) {
      const kept = { model, stem, variant, trunk, maskFrom, widths: widthsOf(pair) };
      const name = isOneOfSeveral(pair.which) ? `${pair.which}-widths.json` : "widths.json";
      files.set(name, new TextEncoder().encode(encodeWidths(kept)));
    }
  }
  if (objective.mode === "search") {
    throw new TypeError("Cannot save what a search trains: it has not been cut to its widths");
  }
  if (objective.mode !== "adjoined") {
    const { which, network } = objective;
    files.set(`${which}.safetensors`, encode(which, network, state));
    return { files, verify: {} };
  }
  const [{ base }] = pairs;
  files.set("base.safetensors", encode("base", base, state));
  const verify: ByNetwork<Verification> = {};
  const work = verifying?.();
  for (const pair of pairs) {
    const { which, small } = pair;
    const name = `${which}.safetensors`;
    const bytes = encode(which, small, extract(pair, state));
    // What is verified is what is saved: the bytes, read again.
    const extracted = parseCheckpoint(bytes, name);
    const found = await compare(gpu, { adjoined: pair, weights, extracted, feed, work });
    demandEqual(found, which);
    files.set(name, bytes);
    verify[which] = found;
  }
  return { files, verify };
}
