/** Insertions, deletions and replacements from one word to the other. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const above = row;
    row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = above[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(replaced, above[j] + 1, row[j - 1] + 1));
    }
  }
  return row[b.length];
}

/** Words longer than this are not compared: no flag is as long. */
const LONGEST = 40;

/** "; did you mean X?" with the word closest to what was found, or nothing if none is close. */
export function suggestion(found: string, words: readonly string[], prefix = ""): string {
  if (found.length > LONGEST) return "";
  const near = words.map((word) => ({ word, distance: editDistance(found, word) }))
    .filter(({ word, distance }) =>
      distance <= Math.max(1, 0.4 * word.length) && distance < found.length
    )
    .sort((a, b) => a.distance - b.distance);
  return near.length ? `; did you mean ${prefix}${near[0].word}?` : "";
}
