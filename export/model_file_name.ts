/** The end of the names of files that networks are read from. */
export const MODEL_FILE = ".onnx";

/** Whether the option `model` names a file with a network, and not one of those that there are. */
export function isModelFile(model: string): boolean {
  return model.endsWith(MODEL_FILE);
}

/** The name of a model: that of a file without its folders and its end. */
export function modelName(model: string): string {
  if (!isModelFile(model)) return model;
  return model.slice(0, -MODEL_FILE.length).replace(/^.*[\\/]/, "") || "onnx";
}
