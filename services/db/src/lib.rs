//! The tenant door: pools, transactions, provisioning, migration, outbox, jobs, idempotency, audit.
