// A command line whose parts do not go together.

export class BadUse extends Error {}
