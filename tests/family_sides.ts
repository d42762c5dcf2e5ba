/** The side of the images that a family is made for: 32 for those of CIFAR's size, with 10 classes. */
export function sideOf(model: string): 32 | 224 {
  return /^(resnet(8|14|20|32|44|56)|.*_cifar|wide_resnet(16_4|28_10)|densenet(40|100)_12)$/.test(
      model,
    )
    ? 32
    : 224;
}
