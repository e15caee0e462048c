import { EngineError } from '../engine-error.js';

/** Only what is used here: the whole of WebGPU's types would force them on every user of this package. */
interface WebGpu {
  requestAdapter(options?: object): Promise<{ readonly info?: AdapterInfo } | null>;
}

interface AdapterInfo {
  readonly vendor: string;
  readonly architecture: string;
  readonly device: string;
}

/**
 * Makes sure that `navigator.gpu` is there: a browser's own, or in Node that of the `webgpu` package (Dawn).
 * tfjs looks for it when its WebGPU backend is imported, so this comes first.
 * @returns the adapter's name, e.g. 'nvidia hopper'
 * @throws EngineError BACKEND_MISSING where the package or a device is missing
 */
export async function provideWebGpu(): Promise<string> {
  const scope = globalThis as { navigator?: { gpu?: WebGpu } };
  if (!scope.navigator?.gpu) {
    const { create, globals } = await importDawn();
    for (const [name, value] of Object.entries(globals)) {
      if (!(name in globalThis)) Object.assign(globalThis, { [name]: value });
    }
    if (!scope.navigator) Object.defineProperty(globalThis, 'navigator', { value: {}, configurable: true });
    Object.defineProperty(scope.navigator, 'gpu', { value: create([]), configurable: true });
  }
  const adapter = await scope.navigator!.gpu!.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) {
    withdrawWebGpu();
    throw new EngineError({
      code: 'BACKEND_MISSING',
      message: [
        'the backend "webgpu" found no device: it needs a graphics card with a Vulkan, Metal or D3D12 driver',
        "(on Linux libvulkan1 and the card's driver; VK_ICD_FILENAMES may name a software device)",
      ].join(' '),
    });
  }
  const { vendor = 'unknown', architecture = '', device = '' } = adapter.info ?? {};
  return [vendor, architecture || device].filter((part) => part !== '').join(' ');
}

/** Lets Dawn go: as long as it is referred to, Node does not end. */
export function withdrawWebGpu(): void {
  const scope = globalThis as { navigator?: { gpu?: WebGpu } };
  if (scope.navigator) Reflect.deleteProperty(scope.navigator, 'gpu');
}

async function importDawn(): Promise<{ create(options: string[]): WebGpu; globals: object }> {
  try {
    return (await import('webgpu')) as unknown as { create(options: string[]): WebGpu; globals: object };
  } catch (cause) {
    throw new EngineError({
      code: 'BACKEND_MISSING',
      message: 'the backend "webgpu" needs Dawn in Node, which is not installed: pnpm add webgpu',
      cause,
    });
  }
}
