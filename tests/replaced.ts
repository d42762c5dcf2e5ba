/** Puts something in the place of a property, in this thread, until it is disposed of. */
export function replaced(object: object, name: string, value: PropertyDescriptor): Disposable {
  const before = Object.getOwnPropertyDescriptor(object, name);
  Object.defineProperty(object, name, { configurable: true, ...value });
  return {
    [Symbol.dispose]() {
      if (before) Object.defineProperty(object, name, before);
      else Reflect.deleteProperty(object, name);
    },
  };
}
