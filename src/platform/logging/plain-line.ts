/**
 * A line made of nothing but fields meant to be read, written as it is: the search for secrets would find the very token
 * that somebody is to copy from it.
 */
export class PlainLine {
  constructor(readonly fields: Readonly<Record<string, unknown>>) {}
}
