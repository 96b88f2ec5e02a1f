import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { Vad } from './vad.ts'

/** The part of `onnxruntime-web` that is used here. */
interface Onnx {
  readonly env: { readonly wasm: { numThreads?: number } }
  readonly InferenceSession: { create(model: Uint8Array): Promise<Model> }
  readonly Tensor: new (type: string, data: Float32Array | BigInt64Array, dims: readonly number[]) => Tensor
}
interface Tensor {
  readonly data: Float32Array
}
interface Model {
  run(inputs: Readonly<Record<string, Tensor>>): Promise<Readonly<Record<'output' | 'stateN', Tensor>>>
}

const rate = 16_000
const frame = 512
/** Samples of the frame before, which the model is shown again. */
const context = 64

/**
 * Silero VAD, a small neural detector, for rooms with noise: `serve({ vad: await silero() })`. 16 000 Hz, frames of 32 ms.
 *
 * Needs two packages that Parley does not bring along: `npm install onnxruntime-web @ricky0123/vad-web` (the model is in
 * the second). It takes some 130 MB of memory, once, for all calls. Rejects with an `Error` that says so when they are
 * missing.
 */
export async function silero(): Promise<() => Vad> {
  const { onnx, model } = await load().catch((cause: unknown) => {
    throw new Error('Silero needs two more packages: npm install onnxruntime-web @ricky0123/vad-web', { cause })
  })
  const sr = new onnx.Tensor('int64', BigInt64Array.of(BigInt(rate)), [])

  return () => {
    let state = new onnx.Tensor('float32', new Float32Array(2 * 128), [2, 1, 128])
    let before = new Float32Array(context)
    let last: Promise<unknown> = Promise.resolve()

    async function ask(samples: Float32Array): Promise<number> {
      const input = new Float32Array(context + frame)
      input.set(before)
      input.set(samples, context)
      before = samples.slice(-context)
      const { output, stateN } = await model.run({
        input: new onnx.Tensor('float32', input, [1, input.length]),
        state,
        sr,
      })
      state = stateN
      return output.data[0]!
    }

    return {
      rate,
      frame,
      likelihood(samples) {
        const floats = Float32Array.from(samples, (sample) => sample / 32_768)
        const answer = last.then(() => ask(floats))
        last = answer.catch(() => {})
        return answer
      },
    }
  }
}

async function load(): Promise<{ readonly onnx: Onnx; readonly model: Model }> {
  const onnx = (await import('onnxruntime-web')) as unknown as Onnx
  onnx.env.wasm.numThreads = 1
  const models = createRequire(import.meta.url).resolve('@ricky0123/vad-web/package.json')
  const file = await readFile(join(dirname(models), 'dist/silero_vad_v5.onnx'))
  return { onnx, model: await onnx.InferenceSession.create(file) }
}
