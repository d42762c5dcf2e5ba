import process from "node:process";

/**
 * Milliseconds of processor time that this program has taken: unlike those of a clock they do not grow
 * while other programs run.
 */
export function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
