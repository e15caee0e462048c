import { bareName, type Naming, nameIn, namesOf, type Part } from './checkpoint-names.js';
import { EncoderError } from './encoder-error.js';
import type { Linear } from './linear.js';
import type { LoraConfig } from './lora-config.js';
import { pythonPattern } from './python-pattern.js';
import type { LinearPlace, Vit } from './vit.js';

/** A layer as one naming sees it: one linear layer, or several that are one there (`attn.qkv`). */
export interface LoraModule {
  readonly name: string;
  readonly places: readonly LinearPlace[];
  readonly block: number | undefined;
}

/** A module that is adapted, by each naming in which it is a module. The first name is the one in messages. */
export interface TargetedModule {
  readonly names: Readonly<Partial<Record<Naming, string>>>;
  readonly places: readonly LinearPlace[];
  readonly block: number | undefined;
  readonly rank: number;
  readonly alpha: number;
}

/** peft can name them, but LoRA changes nothing there: torch's own attention reads its weight past any adapter. */
const WITHOUT_EFFECT: readonly Part[] = ['headQuery', 'headKey', 'headValue', 'headOutput'];

/** The linear layers of an encoder under one naming, in the order of the blocks. */
export function modulesIn(vit: Vit, naming: Naming): LoraModule[] {
  const names = namesOf(vit.config)[naming];
  if (!names) return [];
  const modules = new Map<string, LoraModule>();
  for (const place of vit.linearPlaces()) {
    if (WITHOUT_EFFECT.includes(place.part)) continue;
    const name = nameIn(names, place)!;
    const places = [...(modules.get(name)?.places ?? []), place];
    modules.set(name, { name, places, block: place.block });
  }
  return [...modules.values()];
}

/** Whether a name is one of the list, or ends with one after a dot; or matches the pattern as a whole. */
function isNamed(field: string, wanted: readonly string[] | string, name: string): boolean {
  if (typeof wanted === 'string') return pythonPattern(field, wanted).test(name);
  return wanted.some((target) => name === target || name.endsWith(`.${target}`));
}

function isExcluded({ exclude_modules }: LoraConfig, name: string): boolean {
  return !!exclude_modules?.length && isNamed('exclude_modules', exclude_modules, name);
}

/** The layers in `modules_to_save` are trained in full and get no LoRA. */
function isSaved({ modules_to_save }: LoraConfig, name: string): boolean {
  return (modules_to_save ?? []).some((saved) => `.${name}.`.includes(`.${saved}.`));
}

/** What peft takes a block's number from: its default pattern, or `layers_pattern`. */
function blockByName({ layers_pattern }: LoraConfig, name: string): number | undefined {
  const patterns = typeof layers_pattern === 'string' ? [layers_pattern] : (layers_pattern ?? []);
  const expressions =
    patterns.filter(Boolean).length === 0
      ? [/^.*?\.[^.]*\.(\d+)\./]
      : patterns.map((pattern) => {
          pythonPattern('layers_pattern', pattern);
          return new RegExp(`(?:^|^.*?\\.)(?:${pattern})\\.(\\d+)\\.`);
        });
  const match = expressions.map((expression) => expression.exec(name)).find(Boolean);
  return match ? Number(match[1]) : undefined;
}

/** Whether peft itself would adapt a layer of this name: `check_target_module_exists` in its `tuners_utils.py`. */
export function isTargetedByPeft(config: LoraConfig, name: string): boolean {
  const { target_modules, layers_to_transform } = config;
  if (isExcluded(config, name) || isSaved(config, name)) return false;
  if (target_modules === 'all-linear') return true;
  if (!isNamed('target_modules', target_modules, name)) return false;
  if (typeof target_modules === 'string' || !layers_to_transform?.length) return true;
  const block = blockByName(config, name);
  return block !== undefined && layers_to_transform.includes(block);
}

/** The value of the first pattern that is the name, its end after a dot, or matches those: `get_pattern_key` in peft. */
export function patternValue(
  field: 'rank_pattern' | 'alpha_pattern',
  patterns: Readonly<Record<string, number>>,
  name: string,
  fallback: number,
): number {
  const key = Object.keys(patterns).find((pattern) =>
    pythonPattern(field, `(?:.*\\.)?(?:${pattern})`).test(name),
  );
  return key === undefined ? fallback : patterns[key]!;
}

/**
 * The layers that a configuration names, by peft's rules, under any naming: a list may mix them. Where peft's pattern for
 * block numbers fails (`layers.11`, `blocks.11`: it wants a dot before), the block's real number counts.
 *
 * @throws EncoderError INVALID_ARGUMENT where nothing is named, a block does not exist, or a layer is named both alone
 * and as a part of a fused one; UNSUPPORTED where the patch embedding is named
 */
export function targetedModules(vit: Vit, config: LoraConfig): TargetedModule[] {
  const { num_hidden_layers: depth } = vit.config;
  const { layers_to_transform: layers, layers_pattern, target_modules } = config;
  const anywhere: LoraConfig = { ...config, layers_to_transform: null };
  const isLeftOut = (name: string) => isExcluded(config, name) || isSaved(config, name);
  const isTargeted = ({ name, block }: LoraModule) =>
    isTargetedByPeft(layers_pattern?.length ? config : anywhere, name) &&
    (!layers?.length || (block !== undefined && layers.includes(block)));
  refusePatchEmbedding(vit, anywhere);
  const found = new Map<string, { names: Partial<Record<Naming, string>>; module: LoraModule }>();
  const namings = [vit.naming, 'hub', 'transformers5', 'original'] as const;
  const unfused: Naming = vit.naming === 'original' ? 'original' : 'transformers5';
  for (const naming of target_modules === 'all-linear' ? [unfused] : new Set(namings)) {
    for (const module of modulesIn(vit, naming)) {
      if (isTargeted(module)) found.set(keyOf(module), { names: {}, module });
    }
  }
  for (const naming of namings) {
    for (const module of modulesIn(vit, naming)) {
      const entry = found.get(keyOf(module));
      if (entry) entry.names[naming] = module.name;
    }
  }
  for (const [key, { names }] of found) if (Object.values(names).some(isLeftOut)) found.delete(key);
  const beyond = layers?.filter((index) => index < 0 || index >= depth) ?? [];
  const onlySaves = isEmptyList(target_modules) && (config.modules_to_save?.length ?? 0) > 0;
  if ((found.size === 0 && !onlySaves) || beyond.length > 0) {
    const ends = new Set(modulesIn(vit, vit.naming).map(({ name }) => name.replace(/^.*?\.\d+\./, '')));
    throw new EncoderError({
      code: 'INVALID_ARGUMENT',
      message:
        `LoRA: target_modules [${[target_modules].flat().join(', ')}] in the blocks [${layers ?? 'all'}] name no layer, ` +
        `or a block beyond the ${depth} there are. Layers of a block: ${[...ends].join(', ')}.`,
    });
  }
  const order = vit.linears();
  const targeted = [...found.values()]
    .sort((a, b) => order.indexOf(a.module.places[0]!.layer) - order.indexOf(b.module.places[0]!.layer))
    .map(({ names, module: { places, block } }): TargetedModule => {
      const value = (field: 'rank_pattern' | 'alpha_pattern', fallback: number) =>
        Object.values(names).reduce(
          (known, name) => (known === fallback ? patternValue(field, config[field], name, fallback) : known),
          fallback,
        );
      return {
        names,
        places,
        block,
        rank: value('rank_pattern', config.r),
        alpha: value('alpha_pattern', config.lora_alpha),
      };
    });
  refuseTwice(targeted);
  return targeted;
}

const isEmptyList = (names: readonly string[] | string) => Array.isArray(names) && names.length === 0;

/** Modules of two namings are the same where they are the same layers. */
const keyOf = ({ places }: LoraModule) => places.map(({ layer }) => layer.name).join(' ');

function refuseTwice(modules: readonly TargetedModule[]): void {
  const seen = new Set<Linear>();
  for (const { layer } of modules.flatMap(({ places }) => places)) {
    if (seen.has(layer)) {
      const message = `LoRA: ${layer.name} is named both alone and as a part of a fused layer. Name one of them.`;
      throw new EncoderError({ code: 'INVALID_ARGUMENT', message });
    }
    seen.add(layer);
  }
}

/** peft adapts convolutions too, so `proj` or `projection` would take the patch embedding along. */
function refusePatchEmbedding(vit: Vit, config: LoraConfig): void {
  if (config.target_modules === 'all-linear' || config.layers_to_transform?.length) return;
  for (const names of Object.values(namesOf(vit.config))) {
    const name = nameIn(names, { part: 'patches', block: undefined });
    if (name === undefined || !isTargetedByPeft(config, name)) continue;
    const message = `LoRA: target_modules names the convolution ${bareName(name)} too, which is not adapted here. Name the layers of the blocks, such as attn.proj.`;
    throw new EncoderError({ code: 'UNSUPPORTED', message });
  }
}
