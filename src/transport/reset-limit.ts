/** A Node on which the engine must not start: Envoy's resets would end connections, and exchanges with them. */
export class ResetLimitError extends Error {
  override readonly name = "ResetLimitError";
}

/**
 * Node's HTTP/2 allows 1000 resets and then 33 a second per connection before it sends GOAWAY, and Envoy resets every stream that the
 * server ends first, as the engine does. Node 22.10 and later take other limits, but grpc-js does not hand them on: they go into its private
 * options.
 *
 * @throws ResetLimitError when the limit cannot be lifted
 */
export function liftResetLimit(server: object, nodeVersion: string): void {
  const [major = 0, minor = 0] = nodeVersion.split(".").map(Number);
  if (!(major > 22 || (major === 22 && minor >= 10))) {
    throw new ResetLimitError(`Node ${nodeVersion} limits how many streams Envoy may reset: run the engine on Node 22.22 or newer`);
  }
  const options: unknown = Reflect.get(server, "commonServerOptions");
  if (typeof options !== "object" || options === null) {
    throw new ResetLimitError(
      "the limit of reset streams cannot be lifted, because @grpc/grpc-js is another version than the engine was built with: run `npm ci`",
    );
  }
  Object.assign(options, { streamResetBurst: resetsMax, streamResetRate: resetsMax });
}

/** So many that no connection comes to it: at once, and in a second. */
const resetsMax = 1_000_000_000;
