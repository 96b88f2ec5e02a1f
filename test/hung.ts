/** Functions of an app that never settle, and what has them. */
import { type FunctionTool, tool } from '../src/index.ts'

export const never: Promise<never> = new Promise(() => {})

/** Never says whether it is enabled. */
export const hungTool: FunctionTool = tool({
  name: 'gated',
  description: 'Is there for some.',
  parameters: { type: 'object', properties: {} },
  strict: false,
  isEnabled: () => never,
  execute: () => '',
})
