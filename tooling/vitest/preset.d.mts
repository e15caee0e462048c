import type { UserWorkspaceConfig } from 'vitest/config';

export function preset(configUrl: string, test?: UserWorkspaceConfig['test']): UserWorkspaceConfig;
