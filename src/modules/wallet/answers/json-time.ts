let lastTime = NaN;
let lastText = '';

/** RFC 3339. The transfers of a batch share their time, and writing it is two thirds of writing a transfer. */
export function jsonTime(date: Date): string {
  const time = date.getTime();
  if (time !== lastTime) {
    lastTime = time;
    lastText = date.toISOString();
  }
  return lastText;
}
