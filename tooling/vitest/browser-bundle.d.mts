export function bundleForBrowser(
  url: URL,
  external?: readonly string[],
): Promise<{ code: string; imports: string[] }>;
