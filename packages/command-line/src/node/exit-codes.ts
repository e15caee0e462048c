/**
 * Exit codes of the apps, which job schedulers act on: 42 = input or configuration is wrong, another try will not help;
 * 75 = stopped with its state saved, run it again; 3 = all went well and the outcome is that no lesion was found, so that
 * there is nothing to predict from.
 */
export const EXIT = { done: 0, failed: 1, usage: 2, noLesion: 3, permanent: 42, interrupted: 75 } as const;
