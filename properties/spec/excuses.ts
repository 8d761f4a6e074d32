// The rules that no test reaches, each with the reason. A rule that a test comes to reach must leave the table.

export type Excuse = { readonly rule: string; readonly reason: string };

export const EXCUSES: readonly Excuse[] = [];
