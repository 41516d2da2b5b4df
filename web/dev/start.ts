// The development page: every state of the hosted page by name, on the port of the first argument.
import { StandIn } from "./stand-in/server.ts";

const address = await new StandIn().listen(Number(process.argv[2] ?? 8820));
console.log(`The states of the hosted page: ${address}/dev/`);
