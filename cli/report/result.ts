import { equalityLine } from "./equality.ts";
import { validationWord } from "./header.ts";
import { percent } from "../../data/words.ts";
import { columns, duration, fileSize, grouped, scaled } from "../text.ts";
import type { Summary } from "../../train/types.ts";

const SAVED = "the small network as saved";
const MEASURED = "the one that was measured";

/**
 * The result of a run: a table of its networks, the verification, and where the files are. `files`
 * are those in `folder`, with sizes in bytes.
 */
export function runResult(
  summary: Summary,
  { files, folder, test }: {
    readonly files: ReadonlyMap<string, number>;
    readonly folder: string;
    readonly test: boolean;
  },
): string[] {
  const rows = (["base", "small"] as const).flatMap((which) => {
    const network = summary[which];
    if (!network) return [];
    const size = files.get(`${which}.safetensors`);
    const { top1, params, macs } = network;
    const cells = [percent(top1), grouped(params), scaled(macs)];
    return [[which, ...cells, size === undefined ? "" : fileSize(size)]];
  });
  const { verify } = summary;
  return [
    ...columns([
      ["network", `${validationWord(test)} top-1`, "params", "MACs", "file"],
      ...rows,
    ]),
    ...verify ? [equalityLine(SAVED, MEASURED, verify)] : [],
    `${[...files.keys()].join(", ")} in ${folder}, after ${duration(summary.seconds)}`,
  ];
}
