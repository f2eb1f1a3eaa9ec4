/** Examples at the end of a command's help. */
export function examples(...commandLines: readonly string[]): string {
  return `\nExample:\n${commandLines.map((line) => `  $ npx holdfast ${line}`).join('\n')}`;
}
