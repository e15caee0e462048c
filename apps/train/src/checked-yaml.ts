import { LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { TrainError } from './train-error.js';

/**
 * Reads YAML against a schema.
 * @param path only named in errors
 * @throws TrainError INVALID_STUDY naming each wrong key with its line
 */
export function parseCheckedYaml<Schema extends z.ZodType>(
  schema: Schema,
  content: string,
  path: string,
): z.infer<Schema> {
  const lines = new LineCounter();
  const document = parseDocument(content, { lineCounter: lines });
  const refuse = (findings: string[]): never => {
    throw new TrainError({ code: 'INVALID_STUDY', message: findings.join('\n') });
  };
  const [broken] = document.errors;
  if (broken) refuse([`${path}:${broken.linePos?.[0].line ?? '?'}: ${broken.message}`]);
  const result = schema.safeParse(document.toJS());
  if (result.success) return result.data;
  const lineOf = (where: PropertyKey[]) => {
    for (let depth = where.length; depth > 0; depth--) {
      const node = document.getIn(where.slice(0, depth), true) as
        | { range?: [number, number, number] }
        | undefined;
      if (node?.range) return lines.linePos(node.range[0]).line;
    }
    return 1;
  };
  return refuse(
    result.error.issues.flatMap((issue) =>
      issue.code === 'unrecognized_keys'
        ? issue.keys.map((key) => {
            const where = [...issue.path, key];
            return `${path}:${lineOf(where)}: unknown key "${where.join('.')}"`;
          })
        : [`${path}:${lineOf(issue.path)}: ${issue.path.join('.') || 'the study'}: ${issue.message}`],
    ),
  );
}
