// The demo's upstream as a program, for a container: listens on port 8080 of every address, and prints each request that reaches it.
import process from "node:process";
import { startUpstream } from "./processes/start-upstream.ts";

const upstream = await startUpstream({ host: "0.0.0.0", port: 8080, onRequest: (seen) => console.log(JSON.stringify(seen)) });
for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => void upstream.stop());
