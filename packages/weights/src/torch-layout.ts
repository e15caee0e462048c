import { bytesAt, type Reading } from './byte-source.js';
import { shown } from './shown.js';
import { plainWorld, torchWorld } from './torch-globals.js';
import type { TorchStorage } from './torch-tensor.js';
import { settle } from './torch-value.js';
import { unpickle } from './unpickle.js';
import { WeightsError } from './weights-error.js';
import { readZipDirectory, readZipEntry } from './zip.js';

/** The pickle of a large model takes 2 MB; only lists of numbers make it longer. */
const MAX_PICKLE_BYTES = 2 ** 26;
/** A legacy file does not say how long its pickles are: so much is read first, then more. */
const FIRST_HEAD_BYTES = 2 ** 20;

const MAGIC = 0x1950a86a20f9469cfc6cn;
const PROTOCOL = 1001;

/** A checkpoint's description: its value, whose tensors are strided views of storages, and where those are. */
export interface TorchLayout {
  /** Plain data but for `TorchTensor`s. */
  readonly value: unknown;
  storage(storage: TorchStorage): Reading<Uint8Array>;
}

/** Zip or legacy, by the first bytes. */
export function* readTorchLayout(size: number, inertClasses: readonly string[]): Reading<TorchLayout> {
  if (size < 4)
    throw new WeightsError({ code: 'TRUNCATED', message: `torch: ${size} bytes are no checkpoint.` });
  const start = yield* bytesAt(0, 4);
  const isZip = start[0] === 0x50 && start[1] === 0x4b;
  return yield* isZip ? readZipLayout(size, inertClasses) : readLegacyLayout(size, inertClasses);
}

/** torch >= 1.6: a zip file with NAME/data.pkl, NAME/byteorder and one stored entry NAME/data/KEY a storage. */
function* readZipLayout(size: number, inertClasses: readonly string[]): Reading<TorchLayout> {
  const entries = yield* readZipDirectory(size);
  const pickles = [...entries.values()].filter(({ name }) => /^[^/]+\/data\.pkl$/.test(name));
  const [pickle] = pickles;
  if (!pickle || pickles.length > 1) {
    return fail(
      'MALFORMED',
      `the zip file has ${pickles.length} entries NAME/data.pkl. Was it written by torch.save?`,
    );
  }
  const folder = pickle.name.slice(0, -'data.pkl'.length);
  if (entries.has(`${folder}constants.pkl`)) {
    fail(
      'UNSUPPORTED',
      'this is a TorchScript archive. Save the state_dict of the loaded module with torch.save.',
    );
  }
  const byteOrder = entries.get(`${folder}byteorder`);
  if (byteOrder) {
    if (byteOrder.length > 16) fail('MALFORMED', `a byteorder of ${byteOrder.length} bytes.`);
    const order = new TextDecoder().decode(yield* readZipEntry(byteOrder));
    if (order !== 'little') fail('UNSUPPORTED', `the byte order ${shown(order)}; little-endian is read.`);
  }
  if (pickle.length > MAX_PICKLE_BYTES)
    fail('TOO_LARGE', `a pickle of ${pickle.length} bytes, the limit is ${MAX_PICKLE_BYTES}.`);
  const bytes = yield* readZipEntry(pickle);
  const world = torchWorld(inertClasses);
  const { value, end } = unpickle(bytes, 0, world);
  if (end !== bytes.length) fail('MALFORMED', `${bytes.length - end} bytes follow the pickle.`);
  const entryOf = ({ key, byteLength }: TorchStorage) => {
    const entry = entries.get(`${folder}data/${key}`);
    if (!entry)
      return fail('TRUNCATED', `there is no entry data/${key} for a storage of ${byteLength} bytes.`);
    if (entry.length === byteLength) return entry;
    const code = entry.length < byteLength ? 'TRUNCATED' : 'MALFORMED';
    return fail(code, `the entry data/${key} has ${entry.length} bytes for a storage of ${byteLength}.`);
  };
  for (const storage of world.storages.values()) entryOf(storage);
  return { value: settle(value), storage: (storage) => readZipEntry(entryOf(storage)) };
}

/** torch < 1.6: pickles of a magic number, a version, the machine, the value and the keys; then each storage. */
function* readLegacyLayout(size: number, inertClasses: readonly string[]): Reading<TorchLayout> {
  const most = Math.min(size, MAX_PICKLE_BYTES);
  for (let length = Math.min(most, FIRST_HEAD_BYTES); ; length = Math.min(most, 8 * length)) {
    const head = yield* bytesAt(0, length);
    try {
      const { value, world, keys, end } = readLegacyHead(head, inertClasses);
      const offsets = yield* locateStorages(size, end, keys, world.storages);
      return {
        value: settle(value),
        storage: (storage) => bytesAt(offsets.get(storage.key)!, storage.byteLength),
      };
    } catch (error) {
      const mayGoOn = WeightsError.isInstance(error) && error.code === 'TRUNCATED' && length < most;
      if (!mayGoOn) throw error;
    }
  }
}

function readLegacyHead(head: Uint8Array, inertClasses: readonly string[]) {
  const magic = unpickle(head, 0, plainWorld);
  if (magic.value !== MAGIC)
    fail('MALFORMED', "the file starts with neither a zip header nor torch's magic number.");
  const protocol = unpickle(head, magic.end, plainWorld);
  if (protocol.value !== PROTOCOL)
    fail('UNSUPPORTED', `version ${shown(protocol.value)} of the legacy format.`);
  const machine = unpickle(head, protocol.end, plainWorld);
  if (!(machine.value instanceof Map) || machine.value.get('little_endian') !== true) {
    fail('UNSUPPORTED', 'the file was not written by a little-endian machine.');
  }
  const world = torchWorld(inertClasses);
  const { value, end: valueEnd } = unpickle(head, machine.end, world);
  const { value: keys, end } = unpickle(head, valueEnd, plainWorld);
  if (!Array.isArray(keys) || !keys.every((key) => typeof key === 'string')) {
    fail('MALFORMED', 'the list of storage keys is no list of text.');
  }
  return { value, world, keys: keys as string[], end };
}

/** Each storage is its number of elements in 8 bytes, then the elements; nothing comes after the last one. */
function* locateStorages(
  size: number,
  start: number,
  keys: readonly string[],
  storages: ReadonlyMap<string, TorchStorage>,
): Reading<Map<string, number>> {
  const offsets = new Map<string, number>();
  let at = start;
  for (const key of keys) {
    const storage = storages.get(key);
    if (!storage) return fail('MALFORMED', `no tensor uses storage "${key}", so its size is unknown.`);
    if (offsets.has(key)) fail('DUPLICATE_KEY', `storage "${key}" is listed twice.`);
    const end = at + 8 + storage.byteLength;
    if (end > size)
      fail('TRUNCATED', `storage "${key}" ends at byte ${end}, the file at ${size}. Fetch the file again.`);
    const prefix = yield* bytesAt(at, 8);
    const count = new DataView(prefix.buffer, prefix.byteOffset, 8).getBigUint64(0, true);
    if (count !== BigInt(storage.count)) {
      fail(
        'MALFORMED',
        `storage "${key}" has ${count} elements in the file and ${storage.count} in the pickle.`,
      );
    }
    offsets.set(key, at + 8);
    at = end;
  }
  for (const key of storages.keys())
    if (!offsets.has(key)) fail('MALFORMED', `storage "${key}" is not in the list.`);
  if (at !== size) fail('MALFORMED', `${size - at} bytes follow the last storage.`);
  return offsets;
}

function fail(code: WeightsError['code'], message: string): never {
  throw new WeightsError({ code, message: `torch: ${message}` });
}
