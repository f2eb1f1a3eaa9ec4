/** Nothing, or an empty object: who sends an amount to a route that takes the whole is told so. */
export class NoBodyDto {}
