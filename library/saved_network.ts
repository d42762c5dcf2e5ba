import type { Checkpoint } from "../export/checkpoint.ts";
import { baseIn } from "../train/given_networks.ts";
import { parseNetworks } from "../train/resume/state_networks.ts";
import type { SavedNetwork } from "./run_settings.ts";

/**
 * A network that is at hand or in the bytes of a safetensors file; of a checkpoint of a run its base
 * network. `name` is what errors call it.
 */
export function networkIn(saved: SavedNetwork, name: string): Checkpoint {
  return saved instanceof Uint8Array ? baseIn(parseNetworks(saved, name)) : saved;
}
