import { equalityLine } from "./equality.ts";
import { validationWord } from "./header.ts";
import { percent } from "../../data/words.ts";
import { columns, duration, fileSize, grouped, scaled } from "../text.ts";
import { entriesOf, networkWords } from "../../nn/which.ts";
import type { NetworkSummary, Summary } from "../../train/types.ts";

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
  const networks = entriesOf<NetworkSummary>(summary);
  const when = summary.finetuneEpochs ? "before its fine-tuning" : "as saved";
  const rows = networks.map(([which, network]) => {
    const size = files.get(`${which}.safetensors`);
    const { top1, params, macs } = network;
    const cells = [percent(top1), grouped(params), scaled(macs)];
    return [which, ...cells, size === undefined ? "" : fileSize(size)];
  });
  return [
    ...columns([
      ["network", `${validationWord(test)} top-1`, "params", "MACs", "file"],
      ...rows,
    ]),
    ...networks.flatMap(([which, { verify }]) =>
      verify ? [equalityLine(`the ${networkWords(which)} ${when}`, MEASURED, verify)] : []
    ),
    `${[...files.keys()].join(", ")} in ${folder}, after ${duration(summary.seconds)}`,
  ];
}
