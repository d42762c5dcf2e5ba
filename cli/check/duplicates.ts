/** A picture among those of both sides. */
export interface PlacedFile {
  readonly file: string;
  readonly side: string;
  /** The label. */
  readonly label: number;
  /** Of its bytes; empty where they are not known. */
  readonly digest: string;
}

/** Files with the same bytes, in groups. */
export interface Duplicates {
  /** Those of one side, of each group those of the first one in it. */
  readonly within: readonly (readonly PlacedFile[])[];
  /** Those that are on both sides: a leak. */
  readonly leaks: readonly (readonly PlacedFile[])[];
  /** Those that are of two classes or more, on any side. */
  readonly twoClasses: readonly (readonly PlacedFile[])[];
}

/** Finds files with the same bytes. */
export function findDuplicates(files: Iterable<PlacedFile>): Duplicates {
  const first = new Map<string, PlacedFile>();
  const groups = new Map<string, PlacedFile[]>();
  for (const file of files) {
    const { digest } = file;
    if (digest === "") continue;
    const before = first.get(digest);
    if (!before) first.set(digest, file);
    else groups.set(digest, [...groups.get(digest) ?? [before], file]);
  }
  const all = [...groups.values()];
  const count = (group: readonly PlacedFile[], key: "side" | "label") =>
    new Set(group.map((file) => file[key])).size;
  return {
    within: all.flatMap((group) => {
      const sides = Map.groupBy(group, ({ side }) => side);
      return [...sides.values()].filter(({ length }) => length > 1);
    }),
    leaks: all.filter((group) => count(group, "side") > 1),
    twoClasses: all.filter((group) => count(group, "label") > 1),
  };
}
