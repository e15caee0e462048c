/**
 * Hub checkpoints name a block's parts as transformers 4 did; transformers 5 renames them in memory, in state dicts and
 * in the adapters that peft saves. Source: transformers 5.23 `conversion_mapping.py`, "ViTModel" and "Dinov2Model".
 *
 * `(^|\.)` and `$` keep a rule from matching inside a longer name.
 */
const RENAMED: readonly (readonly [RegExp, string])[] = [
  [/^layers\.(\d+)/, 'encoder.layer.$1'],
  [/\.attention\.q_proj(?=\.|$)/, '.attention.attention.query'],
  [/\.attention\.k_proj(?=\.|$)/, '.attention.attention.key'],
  [/\.attention\.v_proj(?=\.|$)/, '.attention.attention.value'],
  [/\.attention\.o_proj(?=\.|$)/, '.attention.output.dense'],
];

/** Only in ViT: DINOv2 calls them mlp.fc1 and mlp.fc2 in both. */
const RENAMED_VIT: readonly (readonly [RegExp, string])[] = [
  [/\.mlp\.fc1(?=\.|$)/, '.intermediate.dense'],
  [/\.mlp\.fc2(?=\.|$)/, '.output.dense'],
];

/** The name that the hub's checkpoints use, from either naming and with a task model's prefix (`vit.`) taken off. */
export function hubName(modelType: 'dinov2' | 'vit', name: string): string {
  const bare = name.startsWith(`${modelType}.`) ? name.slice(modelType.length + 1) : name;
  const rules = modelType === 'vit' ? [...RENAMED, ...RENAMED_VIT] : RENAMED;
  return rules.reduce((renamed, [pattern, replacement]) => renamed.replace(pattern, replacement), bare);
}

/** The name of a block's linear layer in transformers 5. */
export function transformers5Name(modelType: 'dinov2' | 'vit', name: string): string {
  const renamed = name
    .replace('.attention.attention.query', '.attention.q_proj')
    .replace('.attention.attention.key', '.attention.k_proj')
    .replace('.attention.attention.value', '.attention.v_proj')
    .replace('.attention.output.dense', '.attention.o_proj');
  if (modelType === 'dinov2') return renamed;
  return renamed
    .replace(/^encoder\.layer\./, 'layers.')
    .replace('.intermediate.dense', '.mlp.fc1')
    .replace('.output.dense', '.mlp.fc2');
}

/** Parts of published checkpoints that the class token and the patch tokens do not depend on. */
const UNUSED = /^(embeddings\.mask_token|pooler\.dense\.(weight|bias)|classifier\.(weight|bias))$/;

export function isUnused(name: string): boolean {
  return UNUSED.test(name);
}
