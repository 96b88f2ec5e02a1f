/**
 * A thousand random calls with a far end that mirrors nothing that its responses make, and some hundred with one that mirrors
 * nothing at all, on lines that hold and that are lost.
 */
import { interleavings } from './laws.ts'

interleavings('with a far end that mirrors nothing', { holds: true, mirrors: false, calls: 500 })
interleavings('with a far end that mirrors nothing, whatever befalls the line', {
  holds: false,
  mirrors: false,
  calls: 500,
})
interleavings('with a far end that mirrors not even what it is told', { holds: true, mirrors: 'nothing', calls: 200 })
interleavings('with a far end that mirrors not even what it is told, whatever befalls the line', {
  holds: false,
  mirrors: 'nothing',
  calls: 200,
})
