/** A thousand random calls with a far end that mirrors nothing that its responses make, on lines that hold and that are lost. */
import { interleavings } from './laws.ts'

interleavings('with a far end that mirrors nothing', { holds: true, mirrors: false, calls: 500 })
interleavings('with a far end that mirrors nothing, whatever befalls the line', {
  holds: false,
  mirrors: false,
  calls: 500,
})
