import { median } from "../data/median.ts";
import { UsageError } from "../train/errors.ts";
import { markdownTable, milliseconds, speed } from "./cells.ts";
import type { Compared, Comparison, Row } from "./comparison.ts";
import { againstUsual, memoryOf } from "./usual_table.ts";

/** Between which lines a comparison goes. */
const MARKS = {
  usual: ["<!-- peers: written by `deno task bench peers` -->", "<!-- /peers -->"],
  large: ["<!-- large: written by `deno task bench peers --large` -->", "<!-- /large -->"],
} as const;

/** The cells of a task: names, own time and speed, the others' times and how many times ours. */
export function cellsOf({ task, outcomes: [own, ...others] }: Row): string[] {
  if ("note" in own) return [task.name, own.note, ...others.map(() => "")];
  const ours = median(own.times);
  return [
    task.name,
    `${milliseconds(ours)}, ${speed(task, ours)}`,
    ...others.map((outcome) => {
      if ("note" in outcome) return outcome.note;
      const theirs = median(outcome.times);
      const off = outcome.off ? `, result ${(outcome.off * 100).toPrecision(2)} % off` : "";
      return `${milliseconds(theirs)}, ${(theirs / ours).toPrecision(3)}x${off}`;
    }),
  ];
}

/** Which libraries are there, by their places. */
export function shown(peers: readonly Compared[]): number[] {
  return peers.flatMap((peer, i) => "note" in peer ? [] : [i]);
}

/** Versions and devices of all libraries. */
export function librariesTable(peers: readonly Compared[]): string {
  return markdownTable([
    ["library", "version", "computes on"],
    ...peers.map((peer) =>
      "note" in peer
        ? [peer.name, "", `missing: ${peer.note}`]
        : [peer.name, peer.version, peer.device]
    ),
  ]);
}

/** Times of libraries beside this project's, those of the given places. */
function besideOurs(
  { peers, rows }: Pick<Comparison, "peers" | "rows">,
  places: readonly number[],
): string {
  const cells = rows.map(({ task, outcomes }) =>
    cellsOf({ task, outcomes: places.map((i) => outcomes[i]) })
  );
  return markdownTable([["work", ...places.map((i) => peers[i].name)], ...cells]);
}

/**
 * The comparison as text for BENCHMARKS.md. Where there is what people run, it has a table of its own,
 * before that of others.
 */
export function comparisonText({ peers, rows, repeats, flags }: Comparison): string {
  const command = `deno task bench peers${flags ? ` ${flags}` : ""}`;
  const processors = globalThis.navigator.hardwareConcurrency;
  const there = shown(peers);
  const others = there.filter((i) => i === 0 || !peers[i].marks?.kind);
  const usual = there.filter((i) => peers[i].marks?.kind);
  const tables = [
    ...usual.length > 1
      ? [againstUsual({ peers, rows }, usual), memoryOf({ peers, rows }, usual)]
      : [],
    ...others.length > 1 || usual.length <= 1 ? [besideOurs({ peers, rows }, others)] : [],
  ].filter((table) => table);
  return [
    `\`${command}\`; Deno ${Deno.version.deno}, ${processors} processors; medians of ${repeats}.`,
    "",
    librariesTable(peers),
    ...tables.flatMap((table) => ["", table]),
  ].join("\n");
}

/** The file with the text between its marks replaced, those of large work or the usual ones. */
export function withComparison(file: string, text: string, large = false): string {
  const [first, last] = MARKS[large ? "large" : "usual"];
  const [begin, end] = [file.indexOf(first), file.indexOf(last)];
  if (begin < 0 || end < begin) {
    throw new UsageError(
      `Cannot write BENCHMARKS.md: wanted the lines ${first} and ${last}, found not both`,
    );
  }
  return `${file.slice(0, begin)}${first}\n\n${text}\n\n${file.slice(end)}`;
}
