/** `a, b and c`, or with another `joint` before the last. */
export function listed(words: readonly string[], joint = "and"): string {
  return words.length < 2
    ? words.join("")
    : `${words.slice(0, -1).join(", ")} ${joint} ${words.at(-1)}`;
}

/** The first `most` words and how many there are besides: `a, b and 3 more`. */
export function abridged(words: readonly string[], most: number): string {
  const rest = words.length - most;
  return words.slice(0, most).join(", ") + (rest > 0 ? ` and ${rest} more` : "");
}
