//! Rows of payments as the gateway knows them.

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
