import { Document, type Node } from 'yaml';
import { AUGMENTATION_COSTS, type Study } from './study.js';

/** A study as YAML with every default filled in; what augmentation costs is said in comments. */
export function printStudy(study: Study): string {
  const document = new Document(study);
  const block = document.get('augmentation', true) as Node | undefined;
  if (block) block.commentBefore = AUGMENTATION_COSTS.map((line) => ` ${line}`).join('\n');
  return document.toString({ lineWidth: 0 }).trimEnd();
}
