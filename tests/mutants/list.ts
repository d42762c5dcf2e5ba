import { ACTIVATIONS } from "./activations.ts";
import { ARITHMETIC } from "./arithmetic.ts";
import { BENCHES } from "./benches.ts";
import { CHECKPOINTS } from "./checkpoints.ts";
import { COMPARISONS } from "./comparisons.ts";
import { CROPS } from "./crops.ts";
import { DECODING } from "./decoding.ts";
import { AUGMENTATIONS } from "./augmentations.ts";
import { DEVICES } from "./devices.ts";
import { FAMILIES } from "./families.ts";
import { FILES } from "./files.ts";
import { FOLDERS } from "./folders.ts";
import { FORGOTTEN } from "./forgotten_options.ts";
import { HALF_FLOATS } from "./half_floats.ts";
import { IMPORTANCE } from "./importance.ts";
import { KERNELS } from "./kernels.ts";
import { MATRICES } from "./matrices.ts";
import { NETWORKS } from "./networks.ts";
import { PRIVILEGES } from "./privileges.ts";
import { PICTURES } from "./pictures.ts";
import { PICTURE_SETS } from "./picture_sets.ts";
import { PICTURE_BATCHES } from "./picture_batches.ts";
import { PROFILES } from "./profiles.ts";
import { PROOFS } from "./proofs.ts";
import { QUANTIZING } from "./quantizing.ts";
import { REFUSALS } from "./refusals.ts";
import { RESUMED_RUNS } from "./resumed_runs.ts";
import { REPORTS } from "./reports.ts";
import { SEARCH } from "./search.ts";
import { SEEDS } from "./seeds.ts";
import { TRAINING_STATES } from "./training_states.ts";
import type { Mutant } from "./mutant.ts";

/** All mutants. */
export const MUTANTS: readonly Mutant[] = [
  ...NETWORKS,
  ...CHECKPOINTS,
  ...TRAINING_STATES,
  ...FORGOTTEN,
  ...SEEDS,
  ...SEARCH,
  ...COMPARISONS,
  ...IMPORTANCE,
  ...PROOFS,
  ...PROFILES,
  ...ARITHMETIC,
  ...BENCHES,
  ...AUGMENTATIONS,
  ...CROPS,
  ...QUANTIZING,
  ...REFUSALS,
  ...KERNELS,
  ...MATRICES,
  ...HALF_FLOATS,
  ...ACTIVATIONS,
  ...DEVICES,
  ...FAMILIES,
  ...FILES,
  ...FOLDERS,
  ...PRIVILEGES,
  ...REPORTS,
  ...RESUMED_RUNS,
  ...DECODING,
  ...PICTURES,
  ...PICTURE_SETS,
  ...PICTURE_BATCHES,
];
