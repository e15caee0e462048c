import { isSavedIn, moduleOf } from './adaptation.js';
import { type Naming, namesOf } from './checkpoint-names.js';
import type { LoraConfig } from './lora-config.js';
import { isTargetedByPeft, modulesIn, patternValue } from './lora-targets.js';
import type { Vit } from './vit.js';

/**
 * The fields of adapter_config.json by which peft finds the same layers under a naming. Those given stay where peft would
 * read them as they were meant; else the layers are listed by their whole names. (peft's pattern for block numbers does
 * not match `layers.11` or `blocks.11`, and a list may have been written with another naming's names.)
 */
export function configIn(vit: Vit, config: LoraConfig, naming: Naming): Partial<LoraConfig> {
  const adapted = new Map(vit.adaptation!.modules.map((module) => [module.names[naming]!, module]));
  const asGiven =
    config.target_modules !== 'all-linear' &&
    modulesIn(vit, naming).every(({ name }) => {
      const module = adapted.get(name);
      const { rank_pattern, alpha_pattern } = config;
      return (
        isTargetedByPeft(config, name) === (module !== undefined) &&
        (!module ||
          (patternValue('rank_pattern', rank_pattern, name, config.r) === module.rank &&
            patternValue('alpha_pattern', alpha_pattern, name, config.lora_alpha) === module.alpha))
      );
    });
  const saved = savedIn(vit, config, naming);
  if (asGiven) return { modules_to_save: saved };
  const others = (value: 'rank' | 'alpha', usual: number) =>
    Object.fromEntries(
      [...adapted]
        .filter(([, module]) => module[value] !== usual)
        .map(([name, module]) => [name, module[value]]),
    );
  return {
    target_modules: [...adapted.keys()],
    exclude_modules: null,
    layers_to_transform: null,
    layers_pattern: null,
    rank_pattern: others('rank', config.r),
    alpha_pattern: others('alpha', config.lora_alpha),
    modules_to_save: saved,
  };
}

function savedIn(vit: Vit, { modules_to_save: saved }: LoraConfig, naming: Naming): readonly string[] | null {
  if (!saved) return null;
  const all = namesOf(vit.config);
  const names = all[naming]!;
  const meant = vit
    .parameters()
    .filter(({ slot }) => Object.values(all).some((each) => isSavedIn(each, slot, saved)));
  if (meant.every(({ slot }) => isSavedIn(names, slot, saved))) return saved;
  return [...new Set(meant.map(({ slot }) => moduleOf(names, slot)))];
}
