import { MetricsError } from '@onco-response/metrics';

/** A computation that gives null, and notes the reason in `notDefined`, where a metric is not defined. */
export function whereDefined(notDefined: Record<string, string>) {
  return <T>(name: string, compute: () => T): T | null => {
    try {
      return compute();
    } catch (error) {
      if (!MetricsError.isInstance(error)) throw error;
      notDefined[name] = error.message;
      return null;
    }
  };
}
