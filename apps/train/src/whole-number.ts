import { InvalidArgumentError } from 'commander';

/** Reads an option that has to be a whole number. */
export const wholeNumber = (least: number) => (text: string) => {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least) return value;
  throw new InvalidArgumentError(`a whole number from ${least} on is needed.`);
};
