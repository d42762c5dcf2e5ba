import { printable } from "../../data/printable.ts";
import { abridged, percent, plural } from "../../data/words.ts";
import type { BrokenFile, DataReport, SideReport, Spread } from "../check/data_report.ts";
import { columns, fileSize, grouped } from "../text.ts";

/** Classes of which the numbers of pictures are shown, and files of each kind that are named. */
const MOST_CLASSES = 40;
const NAMED = 5;

function shown(text: string): string {
  return printable(text, 200);
}

/** The sides, in their order. */
function sidesOf({ train, validation }: DataReport): SideReport[] {
  return validation ? [train, validation] : [train];
}

/** The number of pictures of each class on each side. */
function classTable(report: DataReport): string[] {
  const { classes } = report;
  const cells = ({ train, validation }: { train: number; validation?: number }): string[] =>
    [train, ...validation === undefined ? [] : [validation]].map(grouped);
  const sum = (counts: readonly (number | undefined)[]): number =>
    counts.reduce<number>((sum, count = 0) => sum + count, 0);
  const all = {
    train: sum(classes.map(({ train }) => train)),
    validation: report.validation && sum(classes.map(({ validation }) => validation)),
  };
  const lines = columns([
    ["class", ...sidesOf(report).map(({ name }) => shown(name))],
    ...classes.slice(0, MOST_CLASSES).map(({ name, ...counts }) => [
      printable(name, 40),
      ...cells(counts),
    ]),
    ["all", ...cells(all)],
  ]);
  const rest = classes.length - MOST_CLASSES;
  return rest > 0 ? [...lines.slice(0, -1), `and ${rest} more`, ...lines.slice(-1)] : lines;
}

/** "JPEG 780, PNG 6", the most frequent first. */
function formatWords(formats: Readonly<Record<string, number>>): string {
  const sorted = Object.entries(formats).sort(([, a], [, b]) => b - a);
  return sorted.map(([kind, count]) => `${kind.toUpperCase()} ${grouped(count)}`).join(", ");
}

function spreadWords(spread: Spread | undefined): string {
  if (!spread) return "";
  const { least, median, most } = spread;
  return least === most ? `${least}` : `${least} to ${most}, median ${Math.round(median)}`;
}

/** What the files of each side are like. */
function fileTable(report: DataReport): string[] {
  const sides = sidesOf(report);
  const row = (name: string, cell: (side: SideReport) => string): string[] => [
    name,
    ...sides.map(cell),
  ];
  const found = ({ pictures, broken }: SideReport): number => pictures - broken.length;
  return columns([
    row("", ({ name }) => shown(name)),
    row("size of files", ({ bytes }) => fileSize(bytes)),
    row("formats", ({ formats }) => formatWords(formats) || "none"),
    row("width", ({ width }) => spreadWords(width)),
    row("height", ({ height }) => spreadWords(height)),
    row("colour", (side) => `${grouped(found(side) - side.grey)}, grey ${grouped(side.grey)}`),
  ], [0, 1, 2]);
}

/** A kind of fault: what is found of it, and in which files. */
interface Fault {
  readonly name: string;
  /** How many there are, in words; not used where there is none. */
  readonly words: string;
  /** A line for each. */
  readonly files: readonly string[];
}

/** A fault in lines, with the first files under it. */
function faultLines({ name, words, files }: Fault): string[] {
  if (files.length === 0) return [`${name}: none`];
  const rest = files.length - NAMED;
  return [
    `${name}: ${words}`,
    ...files.slice(0, NAMED).map((file) => `  ${file}`),
    ...rest > 0 ? [`  and ${grouped(rest)} more`] : [],
  ];
}

function brokenFault(report: DataReport): Fault {
  const broken = sidesOf(report).flatMap(({ broken }) => broken);
  const all = sidesOf(report).reduce((sum, { pictures }) => sum + pictures, 0);
  const words = `${grouped(broken.length)} of ${grouped(all)} (${percent(broken.length / all)})`;
  const line = ({ file, reason }: BrokenFile) => `${shown(file)}: ${shown(reason)}`;
  return { name: "broken pictures", words, files: broken.map(line) };
}

/** The first files of a group of equal ones: "a.jpg = b.jpg". */
function groupLine(group: readonly string[]): string {
  return abridged(group.map(shown), 3).replaceAll(", ", " = ");
}

function groupFault(
  name: string,
  groups: readonly (readonly string[])[],
  words: (files: number) => string,
): Fault {
  const files = groups.reduce((sum, { length }) => sum + length, 0);
  return { name, words: words(files), files: groups.map(groupLine) };
}

/** All kinds of faults that are looked for, those of which there is none too. */
function faultsOf(report: DataReport): Fault[] {
  const { leaks, twoClasses, duplicates, split } = report;
  const copies = (files: number): string => plural(files, "file").replace(/^\d+/, grouped(files));
  return [
    brokenFault(report),
    groupFault(
      "same bytes on both sides, a leak",
      leaks,
      (files) => `${copies(files)}, so that accuracies come out too high`,
    ),
    groupFault(
      "same bytes under two classes",
      twoClasses,
      (files) => `${copies(files)}, of which one label is wrong`,
    ),
    groupFault(
      "same bytes on one side",
      duplicates,
      (files) =>
        `${copies(files)} in ${plural(duplicates.length, "group")}` +
        (split === undefined ? "" : ", which the split may put on both sides"),
    ),
  ];
}

/** What is wrong with a set, in lines; nothing where all is well. */
export function dataFaults(report: DataReport): string {
  return faultsOf(report).filter(({ files }) => files.length).flatMap(faultLines)
    .map((line) => `${line}\n`).join("");
}

/** What was found out about a set, in lines. */
export function dataTable(report: DataReport): string {
  const { dataset, folder, classes, train, validation, split, notes, sheet } = report;
  const pictures = `${grouped(train.pictures)} in ${shown(train.name)}` +
    (validation ? ` and ${grouped(validation.pictures)} in ${shown(validation.name)}` : "");
  return [
    `${shown(folder)} as ${dataset}: ${grouped(classes.length)} classes, pictures: ${pictures}`,
    ...split === undefined ? [] : [
      `without a folder to validate on, ${percent(split)} are validated on unless --val-split ` +
      `says otherwise`,
    ],
    ...notes,
    "",
    ...classTable(report),
    "",
    ...fileTable(report),
    "",
    ...faultsOf(report).flatMap(faultLines),
    "",
    `sheet: ${sheet}`,
  ].join("\n") + "\n";
}
