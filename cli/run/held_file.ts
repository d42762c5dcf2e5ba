/** Holds a file until it is given back, or the process ends. Does nothing where files cannot be held. */
export function hold(file: string): Disposable | undefined {
  const opened = Deno.openSync(file);
  try {
    if (opened.tryLockSync(true)) return opened;
  } catch { /* The file system has no locks. */ }
  opened.close();
}

/** Whether another process holds a file. */
export function isHeld(file: string): boolean {
  let opened: Deno.FsFile;
  try {
    opened = Deno.openSync(file);
  } catch {
    return false;
  }
  using held = opened;
  try {
    return !held.tryLockSync(true);
  } catch {
    return false;
  }
}
