/** The laws of a call hold where its line is lost, once or twice, at any message: 5,000 random calls. */
import { interleavings } from './laws.ts'

interleavings('on a line that is lost', { holds: false, calls: 5_000 })
