import type { Preparation } from "../../data/preparation.ts";
import type { Described } from "./network.ts";

/** What a page knows of its network: JSON in its element `network`. */
export interface PageData extends Described {
  /** The names of the file and of the folder of onnxruntime-web, both beside the page. */
  readonly model: string;
  readonly runtime: string;
  readonly preparation: Preparation;
  /** Part of the validation images that the network told rightly. */
  readonly top1?: number;
}
