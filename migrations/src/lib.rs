//! Ordered SQL: the platform's schema, and the two schemas of each tenant.
//!
//! A file is applied once per schema, in the order of its number, in a transaction of the schema's
//! owner whose `search_path` is that schema. `{{schema}}`, `{{owner}}` and `{{app}}` stand for the
//! quoted names of the schema and its two roles; platform files know `{{core}}` and `{{gateway}}`,
//! the roles under which the two programs read the register.
//!
//! # Invariants
//! - A merged file never changes: the migrator refuses a schema whose applied checksum differs.
//! - Changes only add (expand, backfill, contract a release later), because tenants lag.

/// Which kind of schema a migration is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Track {
    /// The register of the installation.
    Platform,
    /// The core's schema of one tenant.
    Tenant,
    /// The gateway's schema of one tenant.
    Gateway,
}

/// One file of SQL.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// Its place in the order; unique within its track.
    pub number: i32,
    /// What it brings.
    pub name: &'static str,
    /// Its text, with placeholders.
    pub sql: &'static str,
}

const BASE: Migration = Migration {
    number: 1,
    name: "base",
    sql: include_str!("../base/0001_base.sql"),
};

const PLATFORM: &[Migration] = &[
    Migration {
        number: 1,
        name: "platform",
        sql: include_str!("../platform/0001_platform.sql"),
    },
    Migration {
        number: 10,
        name: "tpp",
        sql: include_str!("../platform/0010_tpp.sql"),
    },
];

const TENANT: &[Migration] = &[
    BASE,
    Migration {
        number: 10,
        name: "ledger_tables",
        sql: include_str!("../tenant/0010_ledger_tables.sql"),
    },
    Migration {
        number: 11,
        name: "ledger_guards",
        sql: include_str!("../tenant/0011_ledger_guards.sql"),
    },
    Migration {
        number: 12,
        name: "ledger_batch",
        sql: include_str!("../tenant/0012_ledger_batch.sql"),
    },
    Migration {
        number: 13,
        name: "ledger_operations",
        sql: include_str!("../tenant/0013_ledger_operations.sql"),
    },
    Migration {
        number: 14,
        name: "ledger_seals",
        sql: include_str!("../tenant/0014_ledger_seals.sql"),
    },
    Migration {
        number: 15,
        name: "ledger_marks",
        sql: include_str!("../tenant/0015_ledger_marks.sql"),
    },
    Migration {
        number: 16,
        name: "ledger_value_marks",
        sql: include_str!("../tenant/0016_ledger_value_marks.sql"),
    },
    Migration {
        number: 17,
        name: "ledger_seal_reads",
        sql: include_str!("../tenant/0017_ledger_seal_reads.sql"),
    },
    Migration {
        number: 18,
        name: "ledger_lean_batch",
        sql: include_str!("../tenant/0018_ledger_lean_batch.sql"),
    },
    Migration {
        number: 19,
        name: "ledger_short_way",
        sql: include_str!("../tenant/0019_ledger_short_way.sql"),
    },
    Migration {
        number: 20,
        name: "banking",
        sql: include_str!("../tenant/0020_banking.sql"),
    },
    Migration {
        number: 21,
        name: "ledger_plain",
        sql: include_str!("../tenant/0021_ledger_plain.sql"),
    },
    Migration {
        number: 22,
        name: "ledger_busy_tables",
        sql: include_str!("../tenant/0022_ledger_busy_tables.sql"),
    },
    Migration {
        number: 30,
        name: "payments",
        sql: include_str!("../tenant/0030_payments.sql"),
    },
];

const GATEWAY: &[Migration] = &[
    BASE,
    Migration {
        number: 5,
        name: "keys",
        sql: include_str!("../gateway/0005_keys.sql"),
    },
    Migration {
        number: 10,
        name: "consent",
        sql: include_str!("../gateway/0010_consent.sql"),
    },
];

impl Track {
    /// The migrations of this kind of schema, in their order.
    #[must_use]
    pub const fn migrations(self) -> &'static [Migration] {
        match self {
            Self::Platform => PLATFORM,
            Self::Tenant => TENANT,
            Self::Gateway => GATEWAY,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_rise_within_each_track() {
        for track in [Track::Platform, Track::Tenant, Track::Gateway] {
            let numbers: Vec<_> = track.migrations().iter().map(|file| file.number).collect();
            assert!(numbers.is_sorted_by(|a, b| a < b), "{track:?}: {numbers:?}");
        }
    }
}
