import { isModelFile } from "../export/model_file_name.ts";
import { classesOf } from "../nn/network.ts";
import { withClasses } from "../train/model_file.ts";
import type { Arguments } from "./arguments.ts";
import { unusable } from "./option_value.ts";
import { loadNetwork } from "./run/weights_files.ts";
import type { SummaryOptions } from "./summary.ts";

/**
 * What is to be counted: where `--model` names a file, its network, its classes and the size of its
 * images unless these are given. Raises a `UsageError` for other channels than those of the file, and
 * for one whose images are not square.
 */
export async function summaryOptions(
  { values, given }: Pick<Arguments<"summary">, "values" | "given">,
): Promise<SummaryOptions> {
  const { model, imageSize: asked, channels, classes } = values;
  if (!isModelFile(model)) return values;
  const { network, image } = await loadNetwork(model, { height: asked, width: asked });
  if (given.has("channels") && channels !== network.channels) {
    throw unusable(
      `--channels is ${network.channels} as in the file of --model, found ${channels}`,
    );
  }
  if (!given.has("imageSize") && image.height !== image.width) {
    throw unusable(
      `summary needs --image-size, as the file of --model is for images of ${image.height}x` +
        `${image.width}`,
    );
  }
  const outputs = given.has("classes") ? classes : classesOf(network);
  return {
    ...values,
    network: withClasses(network, outputs, model),
    classes: outputs,
    channels: network.channels,
    imageSize: given.has("imageSize") ? asked : image.height,
  };
}
