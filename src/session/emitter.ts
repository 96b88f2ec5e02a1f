/** Events by name, each with its own arguments: `{ said: [words: string] }`. */
export type Events<Map> = { readonly [Name in keyof Map]: readonly unknown[] }

export interface Emitter<Map extends Events<Map>> {
  on<Name extends keyof Map>(name: Name, listener: (...args: Map[Name]) => unknown): void
  off<Name extends keyof Map>(name: Name, listener: (...args: Map[Name]) => unknown): void
  /** Tells every listener. One that throws hurts neither the others nor the caller. */
  emit<Name extends keyof Map>(name: Name, ...args: Map[Name]): void
  has(name: keyof Map): boolean
}

/** Makes an emitter; `failed` is told what a listener threw, or what its promise rejected with. */
export function emitter<Map extends Events<Map>>(failed: (error: unknown, name: keyof Map) => void): Emitter<Map> {
  type Listener = (...args: never) => unknown
  const listeners = new globalThis.Map<keyof Map, readonly Listener[]>()
  const listenersOf = (name: keyof Map) => listeners.get(name) ?? []

  return {
    on(name, listener) {
      listeners.set(name, [...listenersOf(name), listener])
    },
    off(name, listener) {
      listeners.set(
        name,
        listenersOf(name).filter((other) => other !== listener),
      )
    },
    emit(name, ...args) {
      for (const listener of listenersOf(name) as readonly ((...args: readonly unknown[]) => unknown)[]) {
        try {
          const result = listener(...args)
          if (result instanceof Promise) result.catch((error: unknown) => failed(error, name))
        } catch (error) {
          failed(error, name)
        }
      }
    },
    has: (name) => listenersOf(name).length > 0,
  }
}
