/** The blocks of a comment that are indented by four spaces, as Markdown has code. */
export function blocks(comment: string): string[] {
  const lines = comment.split("\n").map((line) => line.replace(/^(?: \*|#) ?/, ""));
  const found = lines.map((line) => line.startsWith("    ") ? line.slice(4) : "").join("\n");
  return found.split(/\n\n+/).map((block) => block.trim()).filter((block) => block !== "");
}

/** Text in which all numbers are one. */
export function withoutNumbers(text: string): string {
  return text.trim().replace(/\d[\d,.]*\d|\d/g, "0");
}
