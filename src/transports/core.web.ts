/** In a page, what a transport needs for a call is loaded when it is connected. */
export { lateDoor as door } from './late-door.ts'
export { lateWebRTC as webRTC, lateWebSocket as webSocket } from './late-lines.ts'
