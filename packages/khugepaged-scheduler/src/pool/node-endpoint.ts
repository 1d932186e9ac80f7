/** A port of node:worker_threads as comlink wants an endpoint. comlink's own adapter comes without types for ES modules. */
import type { Endpoint } from 'comlink';

/** What a Worker and a MessagePort have in common. */
export interface NodePort {
  on(event: 'message', listener: (data: unknown) => void): unknown;
  off(event: 'message', listener: (data: unknown) => void): unknown;
  postMessage(message: unknown, transfer?: readonly never[]): void;
}

/** Wraps a port: Node gives listeners the data, comlink expects an event with it. */
export function nodeEndpoint(port: NodePort): Endpoint {
  const listeners = new Map<unknown, (data: unknown) => void>();
  return {
    postMessage: (message: unknown, transfer?: Parameters<Endpoint['postMessage']>[1]) =>
      port.postMessage(message, (transfer ?? []) as unknown as readonly never[]),
    addEventListener(_type, listener) {
      const wrapped = (data: unknown): void => {
        const event = { data } as MessageEvent;
        if (typeof listener === 'function') listener(event);
        else listener.handleEvent(event);
      };
      listeners.set(listener, wrapped);
      port.on('message', wrapped);
    },
    removeEventListener(_type, listener) {
      const wrapped = listeners.get(listener);
      if (wrapped !== undefined) port.off('message', wrapped);
      listeners.delete(listener);
    },
  };
}
