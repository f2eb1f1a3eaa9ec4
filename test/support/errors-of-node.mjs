import { types } from 'node:util';

/**
 * Jest runs each file among globals of its own, and what Node itself throws (a file that is missing, a connection that is
 * refused) is an `Error` of the process: here `instanceof` says of both what they are, as it does in production.
 */
const isInstance = Function.prototype[Symbol.hasInstance];
for (const Class of [Error, TypeError, RangeError]) {
  Object.defineProperty(Class, Symbol.hasInstance, {
    value(value) {
      return isInstance.call(this, value) || (this === Class && types.isNativeError(value) && isOf(Class, value));
    },
  });
}

function isOf({ name }, error) {
  for (let type = error; type !== null; type = Object.getPrototypeOf(type)) {
    if (type.constructor.name === name) return true;
  }
  return false;
}
