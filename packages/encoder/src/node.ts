export {
  type CachedTokens,
  PrefixCache,
  type PrefixCacheOptions,
  type PrefixKey,
  prefixKey,
} from './node/prefix-cache.js';
