/** The laws of a call hold whatever happens in whatever order: 5,000 random calls on lines that hold. */
import { interleavings } from './laws.ts'

interleavings('on a line that holds', { holds: true, calls: 5_000 })
