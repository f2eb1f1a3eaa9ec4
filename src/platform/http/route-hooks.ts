/** The hooks of a route with one more, which runs after those it has. */
export function alsoRuns<Hook extends object>(hooks: Hook | Hook[] | undefined, hook: Hook): Hook[] {
  return hooks === undefined ? [hook] : Array.isArray(hooks) ? [...hooks, hook] : [hooks, hook];
}
