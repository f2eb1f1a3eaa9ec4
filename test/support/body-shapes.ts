/** JSON texts of about `bytes` each: what somebody sends who wants a server to be busy. */
export function bodyShapes(bytes: number): [shape: string, text: string][] {
  const list = (item: (index: number) => string, most?: number) => `[${repeated(bytes - 2, item, most)}]`;
  const object = (member: (index: number) => string) => `{${repeated(bytes - 2, member)}}`;
  const text = (unit: string) => `"${unit.repeat(Math.floor((bytes - 2) / Buffer.byteLength(unit)))}"`;
  const nested = (open: string, inner: string, close: string, levels: number) =>
    open.repeat(levels) + inner + close.repeat(levels);
  const members = (count: number, value: string) => repeated(bytes, (n) => `"k${n}":${value}`, count);
  return [
    ['an object of short keys', object((n) => `"k${n}":1`)],
    ['an object of numbered keys', object((n) => `"${n}":1`)],
    ['an object of long keys', object((n) => `"${'k'.repeat(1300)}${n}":1`)],
    ['one key again and again', object(() => '"key":1')],
    ['one key again and again, for objects', object((n) => `"key":{"n":${n}}`)],
    ['__proto__ again and again', object(() => '"__proto__":{"a":1}')],
    ['objects in objects', nested('{"a":', '1', '}', Math.floor((bytes - 1) / 6))],
    ['lists in lists', nested('[', '', ']', Math.floor(bytes / 2))],
    ['lists of 30 levels', list(() => nested('[', '', ']', 30))],
    ['lists of 450 levels', list(() => nested('[', '9007199254740993', ']', 450))],
    ['a list of ones', list(() => '1')],
    ['a list of short texts', list(() => '"a"')],
    ['a list of objects', list((n) => `{"n":${n}}`)],
    // What the bounds let pass.
    ['a list of 4,900 texts', list((n) => `"${n} ${'x'.repeat(40)}"`, 4900)],
    ['objects of 200 members', list(() => `{${members(200, '1')}}`, 24)],
    ['objects of 200 objects', list(() => `{${members(200, '{}')}}`, 12)],
    ['a long text', text('x')],
    ['a long text of other letters', text('é😀')],
    ['a long text that looks like an address', text('a@b.')],
    ['a long text of spaces', text(' ')],
    ['a long text of escapes', text('\\u00e9')],
    ['a long text of surrogate pairs', text('\\ud83d\\ude00')],
    ['a long text of quotes', text('\\"')],
    ['a long text of backslashes', text('\\\\')],
    ['a long integer', '9'.repeat(bytes)],
    ['a long fraction', `0.${'9'.repeat(bytes - 2)}`],
    ['a fraction of zeros', `0.${'0'.repeat(bytes - 3)}1`],
    ['integers of 16 digits', list(() => '9007199254740993')],
    ['integers of 1,000 digits', list(() => '9'.repeat(1000))],
    ['fractions of 16 digits', list(() => '0.9999999999999999')],
    ['powers of ten', list(() => '1e99')],
    ['powers of ten that no double holds', list(() => '1e9999')],
    ['long numbers between long texts', list(() => `9007199254740993,"${'\\"'.repeat(1000)}"`)],
  ];
}

/** As many as fit, and no more than `most`, with commas between them. */
function repeated(bytes: number, part: (index: number) => string, most = Infinity): string {
  const parts: string[] = [];
  let length = 0;
  for (let index = 0; index < most; index++) {
    const next = part(index);
    length += next.length + 1;
    if (length > bytes) break;
    parts.push(next);
  }
  return parts.join(',');
}
