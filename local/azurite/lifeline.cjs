// Loaded before Azurite: ends it when its parent is gone, on every system, even after a kill. The parent holds the
// other end of standard input and never writes to it.
process.stdin.on("end", () => process.kill(process.pid, "SIGTERM"));
process.stdin.on("error", () => process.kill(process.pid, "SIGTERM"));
process.stdin.resume();
process.stdin.unref();  // listening here must not keep a stopped Azurite alive
