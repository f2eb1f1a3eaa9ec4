export function compileIntoBuild(folder: string): Promise<void>;
export function compiled(entry: string): string;
