/** A Python with PyTorch, or nothing. */
export async function pythonWithTorch(): Promise<string | undefined> {
  for (const program of ["python3", "/usr/bin/python3"]) {
    const args = ["-c", "import torch"];
    const found = await new Deno.Command(program, { args, stderr: "null" }).output()
      .catch(() => undefined);
    if (found?.success) return program;
  }
}
