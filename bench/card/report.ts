import { markdownTable } from "../cells.ts";
import { spread } from "../spread.ts";
import { librariesTable, shown } from "../table.ts";
import { againstUsual, memoryOf } from "../usual_table.ts";
import { BOUNDS, verdict } from "./bounds.ts";
import type { Accuracy, Results } from "./results.ts";

function accuracyTable(accuracies: readonly Accuracy[]): string {
  const networks = [...new Set(accuracies.flatMap(({ top1 }) => Object.keys(top1)))];
  const rows = accuracies.map(({ name, top1, note = "" }) => [
    name,
    ...networks.map((network) => top1[network] ? `${spread(top1[network])} %` : ""),
    `${Math.max(0, ...Object.values(top1).map(({ length }) => length))}`,
    note,
  ]);
  return markdownTable([["trained in", ...networks, "seeds", "note"], ...rows]);
}

/** How all bounds are met, a line each. */
export function verdicts(results: Results): string[] {
  return BOUNDS.map((bound) => verdict(bound, results));
}

/** All that was measured, as Markdown. */
export function reportText(results: Results, command: string): string {
  const { machine, peers, rows, accuracies, profiles, notes } = results;
  const places = shown(peers);
  const ofKind = (kind: "step" | "convolution") => ({
    peers,
    rows: rows.filter(({ task }) => task.kind === kind),
  });
  const tables = (["step", "convolution"] as const).flatMap((kind) => {
    const compared = ofKind(kind);
    if (!compared.rows.length) return [];
    return [againstUsual(compared, places), memoryOf(compared, places)];
  });
  return [
    "# Measured on this card",
    [`\`${command}\``, ...machine].join("\\\n"),
    ...peers.length ? [librariesTable(peers)] : [],
    ...tables,
    ...accuracies.length ? [accuracyTable(accuracies)] : [],
    profiles.map(({ name, file, note }) => `- profile, ${name}: ${note ?? file}`).join("\n"),
    notes.map((note) => `- ${note}`).join("\n"),
    verdicts(results).map((line) => `- ${line}`).join("\n"),
  ].filter((text) => text).join("\n\n") + "\n";
}
