//! Rows of the register.

use branchline_db::DbError;
use branchline_kernel::TppId;
use branchline_oauth::Registration;
use serde_json::Value;

use super::Tpp;

pub(super) mod tpp {
    //! `tpp`.

    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "tpp")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) id: Uuid,
        pub(crate) name: String,
        #[sea_orm(column_type = "JsonBinary")]
        pub(crate) registration: Json,
        pub(crate) registered_at: DateTimeUtc,
        pub(crate) blocked_at: Option<DateTimeUtc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub(super) mod tpp_invitation {
    //! `tpp_invitation`.

    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "tpp_invitation")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) hash: Vec<u8>,
        pub(crate) note: String,
        pub(crate) created_at: DateTimeUtc,
        pub(crate) expires_at: DateTimeUtc,
        pub(crate) used_at: Option<DateTimeUtc>,
        pub(crate) tpp: Option<Uuid>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub(super) mod tenant_tpp {
    //! `tenant_tpp`.

    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "tenant_tpp")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) tenant: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) tpp: Uuid,
        pub(crate) enabled_at: DateTimeUtc,
        pub(crate) blocked_at: Option<DateTimeUtc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

fn inconsistent() -> DbError {
    DbError::Inconsistent {
        table: "tpp",
        column: "registration",
    }
}

pub(super) fn write_registration(registration: &Registration) -> Result<Value, DbError> {
    serde_json::to_value(registration).map_err(|_unwritable| inconsistent())
}

impl TryFrom<tpp::Model> for Tpp {
    type Error = DbError;

    fn try_from(row: tpp::Model) -> Result<Self, DbError> {
        let registration = serde_json::from_value(row.registration);
        Ok(Self {
            id: TppId::from(row.id),
            registration: registration.map_err(|_unreadable| inconsistent())?,
            registered_at: row.registered_at,
            is_blocked: row.blocked_at.is_some(),
        })
    }
}
