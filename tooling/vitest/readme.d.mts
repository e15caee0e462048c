export function testReadme(testUrl: string): void;
