declare const brandKey: unique symbol;

/**
 * A number that the compiler keeps apart from other numbers. It costs nothing at run time; it only stops a frame number
 * from being used where a page number is meant. `asBrand` is the one door in.
 */
export type Brand<Name extends string> = number & { readonly [brandKey]: Name };

/** Declares that a plain number is a value of the branded type. No check is made: the caller knows. */
export function asBrand<T extends Brand<string>>(value: number): T {
  return value as T;
}
