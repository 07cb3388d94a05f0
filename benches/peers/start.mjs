// What Node.js takes to start and to import a package, which is within every figure of its peers.
await import(process.argv[2]);
