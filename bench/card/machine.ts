import config from "../../deno.json" with { type: "json" };

/** What NVIDIA's driver says of its cards, a line each; none where there is none. */
async function cards(): Promise<string[]> {
  try {
    const { success, stdout } = await new Deno.Command("nvidia-smi", {
      args: ["--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"],
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).output();
    const lines = new TextDecoder().decode(stdout).trim().split("\n").filter((line) => line);
    return success ? lines.map((line) => `card: ${line}`) : [];
  } catch {
    return [];
  }
}

/** The machine in words, a line each. */
export async function machineLines(): Promise<string[]> {
  const { os, arch } = Deno.build;
  const found = await cards();
  return [
    `adjoin ${config.version}; Deno ${Deno.version.deno}; ${os} ${arch}; ` +
    `${navigator.hardwareConcurrency} processors; ${new Date().toISOString().slice(0, 16)} UTC`,
    ...found.length ? found : ["card: nvidia-smi names none"],
  ];
}
