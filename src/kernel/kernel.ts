import type { KernelHost } from "./kernel-host.ts";
import { OpenExchanges } from "./open-exchanges.ts";
import { Exchange } from "./process-exchange.ts";
import type { OpenStream } from "./transport.ts";

export interface Kernel {
  readonly open: OpenStream;
  /** The grace period is over: what is still open ends UNAVAILABLE. What had nothing left to run has ended already. */
  abandon(): void;
}

export function createKernel(host: KernelHost): Kernel {
  const exchanges = new OpenExchanges();
  return {
    open: (metadata, sink) => {
      if (host.recorder === undefined) return new Exchange(host, undefined, metadata, sink, exchanges);
      const id = host.newId();
      const watched = host.recorder.watch(id, metadata, sink);
      return watched.handler(new Exchange(host, id, metadata, watched.sink, exchanges));
    },
    abandon: () => {
      for (const exchange of exchanges.now()) exchange.abandon();
    },
  };
}
