/** The code of a system's error, as `ENOENT`; nothing for other errors. */
export function errorCode(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}

/** What there is in place of a file or folder to read, in words that go after "found". */
export function foundInstead(
  path: string,
  error: unknown,
  wanted: "file" | "folder" = "file",
): string {
  switch (errorCode(error)) {
    case "ENOENT":
      return `no ${wanted} ${path}`;
    case "ENOTDIR":
      return wanted === "file" ? `no file ${path}` : `a file at ${path}`;
    case "EISDIR":
      return `a folder at ${path}`;
    case "EACCES":
    case "EPERM":
      return `no permission to read ${path}`;
  }
  return `${path}, which cannot be read: ${error instanceof Error ? error.message : error}`;
}
