import type { Checkpoint } from "../export/checkpoint.ts";
import { baseIn } from "../train/given_networks.ts";
import { parseNetworks } from "../train/resume/state_networks.ts";
import { demandFields } from "./demand_given.ts";
import type { SavedNetwork } from "./run_settings.ts";

/**
 * A network that is at hand or in the bytes of a safetensors file; of a checkpoint of a run its base
 * network. `name` is what errors call it. Raises a `TypeError` for what is neither.
 */
export function networkIn(saved: SavedNetwork, name: string): Checkpoint {
  if (saved instanceof Uint8Array) return baseIn(parseNetworks(saved, name));
  demandFields(saved, ["network", "state", "classes", "image", "normalization"], {
    doing: `Cannot use ${name}`,
    wanted: "a network with its weights and classes, or the bytes of a safetensors file",
  });
  return saved;
}
