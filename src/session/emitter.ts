/** Events by name, each with its own arguments: `{ said: [words: string] }`. */
export type Events<Map> = { readonly [Name in keyof Map]: readonly unknown[] }

export interface Emitter<Map extends Events<Map>> {
  on<Name extends keyof Map>(name: Name, listener: (...args: Map[Name]) => unknown): void
  /** Listens for the next one only. `off` with the same listener takes it back. */
  once<Name extends keyof Map>(name: Name, listener: (...args: Map[Name]) => unknown): void
  off<Name extends keyof Map>(name: Name, listener: (...args: Map[Name]) => unknown): void
  /** Tells every listener. One that throws hurts neither the others nor the caller: it is reported. */
  emit<Name extends keyof Map>(name: Name, ...args: Map[Name]): void
  has(name: keyof Map): boolean
  /** Tells of an error as the event `error`. Nothing is silent: what nobody listens for is written to the console. */
  report(error: unknown): void
}

/** Makes an emitter. What a listener throws, or its promise rejects with, is reported. `who` is whose events these are. */
export function emitter<Map extends Events<Map>>(who: string): Emitter<Map> {
  type Listener = (...args: readonly unknown[]) => unknown
  const listeners = new globalThis.Map<keyof Map, readonly Listener[]>()
  /** Of those that listen once: whose they are. */
  const onces = new WeakMap<Listener, Listener>()
  const listenersOf = (name: keyof Map) => listeners.get(name) ?? []

  function remove(name: keyof Map, listener: Listener): void {
    const others = listenersOf(name).filter((other) => other !== listener && onces.get(other) !== listener)
    listeners.set(name, others)
  }

  function tell(name: keyof Map, args: readonly unknown[]): void {
    for (const listener of listenersOf(name)) {
      try {
        const result = listener(...args)
        if (result instanceof Promise) result.catch((error: unknown) => failed(error, name))
      } catch (error) {
        failed(error, name)
      }
    }
  }

  function failed(cause: unknown, name: keyof Map): void {
    const error = new Error(`A listener of '${String(name)}' failed.`, { cause })
    if (name === 'error') write(error)
    else report(error)
  }

  function report(error: unknown): void {
    const name = 'error' as keyof Map
    if (listenersOf(name).length) tell(name, [{ type: 'error', error }])
    else write(error)
  }

  function write(error: unknown): void {
    console.error(`${who} reports an error:`, error)
  }

  return {
    on(name, listener) {
      listeners.set(name, [...listenersOf(name), listener as Listener])
    },
    once(name, listener) {
      const next = (...args: readonly unknown[]) => {
        remove(name, next)
        return (listener as Listener)(...args)
      }
      onces.set(next, listener as Listener)
      listeners.set(name, [...listenersOf(name), next])
    },
    off: (name, listener) => remove(name, listener as Listener),
    emit: (name, ...args) => tell(name, args),
    has: (name) => listenersOf(name).length > 0,
    report,
  }
}
