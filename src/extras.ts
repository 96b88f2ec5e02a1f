/** What few apps name: a page that names none of it loads what a call needs of it with the call. */
export {
  type HostedMcpToolFilter,
  type HostedMcpToolOptions,
  type HostedTool,
  hostedMcpTool,
  type McpApproval,
  type McpDecision,
  type McpVerdict,
} from './agents/hosted-tool.ts'
export { followMcpTools, mcpTools } from './agents/mcp-tools.ts'
export { costOf, listPrices, type ModelPrices, type Prices, type TranscriptionPrices } from './agents/prices.ts'
export { restored, type StartingPoint, seeded } from './agents/starting-point.ts'
export { type HistoryStore, type Keeper, type KeepOptions, keep, memoryStore } from './agents/store.ts'
export { type PacedSpeakerOptions, pacedSpeaker } from './session/paced-speaker.ts'
