import { failPickle, PickleBytes } from './pickle-bytes.js';
import { PickleGlobal } from './pickle-values.js';
import { shown } from './shown.js';

/** A checkpoint of 20,000 tensors takes a million steps. */
const MAX_STEPS = 20_000_000;
/** Lists, tuples, dicts and objects; about 6 a tensor. Each takes up to 200 bytes of memory for one byte of the file. */
const MAX_CONTAINERS = 1_000_000;

/** What a pickle may name and what that stands for. Nothing outside it is looked up anywhere. */
export interface PickleWorld {
  /** Whether `module.name` may occur. */
  knows(name: string): boolean;
  /** Data in place of calling `callable`; throws for what may only be named. */
  build(callable: PickleGlobal, given: readonly unknown[], charge: (work: number) => void): unknown;
  /** Data in place of setting the state of `object`, which `build` returned. */
  setState(object: unknown, state: unknown, charge: (work: number) => void): unknown;
  /** What a persistent id stands for: a storage. */
  persistent(id: unknown): unknown;
}

/**
 * Reads one pickle (protocols 2 to 5) as data and says where it ends. It is an interpreter of the opcodes that writers
 * of checkpoints use; the ones that import or call something do so only through `world`, which is a list of names.
 *
 * Opcodes: Lib/pickletools.py of CPython.
 */
export function unpickle(
  bytes: Uint8Array,
  start: number,
  world: PickleWorld,
): { value: unknown; end: number } {
  const input = new PickleBytes(bytes, start);
  let stack: unknown[] = [];
  const outer: unknown[][] = []; // the stacks below each mark
  const memo = new Map<number, unknown>();
  let containers = 0;
  // Building from memorised parts can copy one part many times: the copies together stay near the pickle's own size.
  let work = 2 * bytes.length + 1024;

  const charge = (amount: number): void => {
    work -= amount;
    if (work < 0)
      failPickle('TOO_LARGE', `what is built from it is much larger than its ${bytes.length} bytes.`);
  };
  const made = <Container>(container: Container): Container => {
    if (++containers > MAX_CONTAINERS)
      failPickle('TOO_LARGE', `more than ${MAX_CONTAINERS} lists, tuples and dicts.`);
    return container;
  };
  const pop = (): unknown =>
    stack.length > 0 ? stack.pop() : failPickle('MALFORMED', `the stack is empty at byte ${input.at}.`);
  const top = (): unknown =>
    stack.length > 0 ? stack.at(-1) : failPickle('MALFORMED', `the stack is empty at byte ${input.at}.`);
  const popMark = (): unknown[] => {
    const items = stack;
    stack = outer.pop() ?? failPickle('MALFORMED', `no mark at byte ${input.at}.`);
    return items;
  };
  const popMany = (count: number): unknown[] => Array.from({ length: count }, pop).reverse();
  const global = (module: unknown, name: unknown): PickleGlobal => {
    if (typeof module !== 'string' || typeof name !== 'string')
      failPickle('UNSAFE_PICKLE', 'an import whose name is not text.');
    const full = `${module}.${name}`;
    if (world.knows(full)) return new PickleGlobal(full);
    return failPickle(
      'UNSAFE_PICKLE',
      `it names ${shown(full)}, which is not on the list of what a checkpoint needs. Nothing was run. ` +
        'Do not load this file with torch.load either unless you trust who made it.',
    );
  };
  const call = (given: unknown, callable: unknown): unknown => {
    if (!(callable instanceof PickleGlobal))
      failPickle('UNSAFE_PICKLE', 'it calls something that is not a named class.');
    if (!Array.isArray(given)) failPickle('MALFORMED', `the arguments of ${callable.name} are not a tuple.`);
    return made(world.build(callable, given, charge));
  };
  const set = (target: unknown, items: readonly unknown[]): void => {
    if (!(target instanceof Map) || items.length % 2 !== 0)
      failPickle('MALFORMED', `no dict to fill at byte ${input.at}.`);
    for (let index = 0; index < items.length; index += 2) {
      const key = items[index];
      if (target.has(key)) failPickle('DUPLICATE_KEY', `a dict has the key ${shown(key)} twice.`);
      target.set(key, items[index + 1]);
    }
  };
  const append = (target: unknown, items: readonly unknown[]): void => {
    if (!Array.isArray(target)) failPickle('MALFORMED', `no list to append to at byte ${input.at}.`);
    for (const item of items) target.push(item);
  };
  const recall = (index: number): unknown =>
    memo.has(index) ? memo.get(index) : failPickle('MALFORMED', `nothing is memorised as ${index}.`);

  for (let step = 0; step < MAX_STEPS; step++) {
    const code = input.uint8();
    switch (code) {
      case 0x80: {
        // PROTO
        const protocol = input.uint8();
        if (protocol < 2 || protocol > 5) failPickle('UNSUPPORTED', `protocol ${protocol}; 2 to 5 are read.`);
        break;
      }
      case 0x95: {
        // FRAME: only says how much may be buffered
        const length = input.uint64();
        if (length > bytes.length - input.at)
          failPickle('TRUNCATED', `a frame of ${length} bytes at ${input.at}.`);
        break;
      }
      case 0x2e: // STOP
        if (stack.length !== 1 || outer.length > 0)
          failPickle('MALFORMED', 'it does not end with one value.');
        return { value: stack[0], end: input.at };

      case 0x4e:
        stack.push(null);
        break; // NONE
      case 0x88:
        stack.push(true);
        break; // NEWTRUE
      case 0x89:
        stack.push(false);
        break; // NEWFALSE
      case 0x4b:
        stack.push(input.uint8());
        break; // BININT1
      case 0x4d:
        stack.push(input.uint16());
        break; // BININT2
      case 0x4a:
        stack.push(input.int32());
        break; // BININT
      case 0x8a:
        stack.push(input.integer(input.uint8()));
        break; // LONG1
      case 0x8b:
        stack.push(input.integer(input.uint32()));
        break; // LONG4
      case 0x47:
        stack.push(input.float64());
        break; // BINFLOAT

      case 0x8c:
        stack.push(input.text(input.uint8()));
        break; // SHORT_BINUNICODE
      case 0x58:
        stack.push(input.text(input.uint32()));
        break; // BINUNICODE
      case 0x8d:
        stack.push(input.text(input.uint64()));
        break; // BINUNICODE8
      case 0x55:
        stack.push(input.text(input.uint8()));
        break; // SHORT_BINSTRING: str of Python 2
      case 0x54:
        stack.push(input.text(input.uint32()));
        break; // BINSTRING
      case 0x43:
        stack.push(input.bytes(input.uint8()));
        break; // SHORT_BINBYTES
      case 0x42:
        stack.push(input.bytes(input.uint32()));
        break; // BINBYTES
      case 0x8e:
        stack.push(input.bytes(input.uint64()));
        break; // BINBYTES8
      case 0x96:
        stack.push(input.bytes(input.uint64()));
        break; // BYTEARRAY8

      case 0x7d:
        stack.push(made(new Map()));
        break; // EMPTY_DICT
      case 0x5d:
        stack.push(made([]));
        break; // EMPTY_LIST
      case 0x29:
        stack.push(made([]));
        break; // EMPTY_TUPLE
      case 0x8f:
        stack.push(made(new Set()));
        break; // EMPTY_SET
      case 0x85:
        stack.push(made(popMany(1)));
        break; // TUPLE1
      case 0x86:
        stack.push(made(popMany(2)));
        break; // TUPLE2
      case 0x87:
        stack.push(made(popMany(3)));
        break; // TUPLE3
      case 0x28:
        outer.push(stack);
        stack = made([]);
        break; // MARK
      case 0x74: {
        // TUPLE
        const items = popMark();
        stack.push(items);
        break;
      }
      case 0x91: {
        // FROZENSET
        const items = popMark();
        stack.push(made(new Set(items)));
        break;
      }
      case 0x61: {
        // APPEND
        const item = pop();
        append(top(), [item]);
        break;
      }
      case 0x65: {
        // APPENDS
        const items = popMark();
        append(top(), items);
        break;
      }
      case 0x73: {
        // SETITEM
        const pair = popMany(2);
        set(top(), pair);
        break;
      }
      case 0x75: {
        // SETITEMS
        const items = popMark();
        set(top(), items);
        break;
      }
      case 0x90: {
        // ADDITEMS
        const items = popMark();
        const target = top();
        if (!(target instanceof Set)) failPickle('MALFORMED', `no set to fill at byte ${input.at}.`);
        for (const item of items) target.add(item);
        break;
      }
      case 0x30: // POP
        if (stack.length > 0) stack.pop();
        else popMark();
        break;
      case 0x31:
        popMark();
        break; // POP_MARK

      case 0x71:
        memo.set(input.uint8(), top());
        break; // BINPUT
      case 0x72:
        memo.set(input.uint32(), top());
        break; // LONG_BINPUT
      case 0x94:
        memo.set(memo.size, top());
        break; // MEMOIZE
      case 0x68:
        stack.push(recall(input.uint8()));
        break; // BINGET
      case 0x6a:
        stack.push(recall(input.uint32()));
        break; // LONG_BINGET

      case 0x63: {
        // GLOBAL
        const module = input.line();
        stack.push(global(module, input.line()));
        break;
      }
      case 0x93: {
        // STACK_GLOBAL
        const [module, name] = popMany(2);
        stack.push(global(module, name));
        break;
      }
      case 0x52: // REDUCE
      case 0x81: {
        // NEWOBJ: the same to a reader that runs nothing
        const [callable, given] = popMany(2);
        stack.push(call(given, callable));
        break;
      }
      case 0x62: {
        // BUILD
        const [object, state] = popMany(2);
        stack.push(world.setState(object, state, charge));
        break;
      }
      case 0x51:
        stack.push(world.persistent(pop()));
        break; // BINPERSID

      case 0x69: // INST
      case 0x6f: // OBJ
      case 0x92: // NEWOBJ_EX
      case 0x82: // EXT1
      case 0x83: // EXT2
      case 0x84: // EXT4
        return failPickle(
          'UNSAFE_PICKLE',
          `the opcode 0x${code.toString(16)} at byte ${input.at - 1} creates objects of any class. Nothing was run.`,
        );
      default:
        return failPickle(
          'UNSUPPORTED',
          `the opcode 0x${code.toString(16).padStart(2, '0')} at byte ${input.at - 1} is not one that torch.save writes. Is this a checkpoint?`,
        );
    }
  }
  return failPickle('TOO_LARGE', `more than ${MAX_STEPS} steps.`);
}
