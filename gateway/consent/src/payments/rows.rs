//! Rows of payments as the gateway knows them.

use branchline_db::DbError;
use branchline_kernel::PaymentId;
use branchline_xs2a::Psu;
use sqlx::Row;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use super::calls::{CoreCall, Errand};

pub(super) mod payment_initiation {
    //! `payment_initiation`.

    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "payment_initiation")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) payment: Uuid,
        pub(crate) tpp: Uuid,
        pub(crate) product: String,
        pub(crate) created_at: DateTimeUtc,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub(super) mod core_call {
    //! `core_call`.

    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "core_call")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) payment: Uuid,
        pub(crate) kind: String,
        pub(crate) fingerprint: Option<String>,
        pub(crate) psu_issuer: String,
        pub(crate) psu_subject: String,
        pub(crate) created_at: DateTimeUtc,
        pub(crate) due_at: DateTimeUtc,
        pub(crate) tries: i32,
        pub(crate) done_at: Option<DateTimeUtc>,
        pub(crate) outcome: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub(super) fn read_call(row: &PgRow) -> Result<CoreCall, DbError> {
    let inconsistent = |column| DbError::Inconsistent {
        table: "core_call",
        column,
    };
    let kind: String = row.try_get("kind")?;
    let fingerprint: Option<String> = row.try_get("fingerprint")?;
    let errand = match (kind.as_str(), fingerprint) {
        ("authorise", Some(fingerprint)) => Errand::Authorise { fingerprint },
        ("cancel", _) => Errand::Cancel,
        _ => return Err(inconsistent("kind")),
    };
    Ok(CoreCall {
        payment: PaymentId::from(row.try_get::<Uuid, _>("payment")?),
        errand,
        psu: Psu {
            issuer: row.try_get("psu_issuer")?,
            subject: row.try_get("psu_subject")?,
        },
    })
}
