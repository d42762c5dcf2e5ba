import { validationWord } from "./header.ts";
import { percent } from "../../data/words.ts";
import { columns, difference, duration, fileSize, grouped, scaled } from "../text.ts";
import type { Summary, Verification } from "../../train/types.ts";

/** What the comparison of the saved small network with the measured one has shown. */
function verificationLine({ maxDifference, top1Agreement, images }: Verification): string {
  return `the small network that is saved gives the logits of the one that was measured: at most ` +
    `${difference(maxDifference)} apart, ${percent(top1Agreement)} same class over ` +
    `${grouped(images)} images`;
}

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
    ...verify ? [verificationLine(verify)] : [],
    `${[...files.keys()].join(", ")} in ${folder}, after ${duration(summary.seconds)}`,
  ];
}
