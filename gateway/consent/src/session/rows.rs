//! Rows of signed-in members and their browsers.

use branchline_xs2a::Psu;

use super::interactions::{Interaction, InteractionId};
use super::logins::{Destination, LoginAttempt};
use super::{SecretHash, Session};
use crate::oauth::PushedKey;

pub(super) mod member_session {
    //! `member_session`.

    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "member_session")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) hash: Vec<u8>,
        pub(crate) psu_issuer: String,
        pub(crate) psu_subject: String,
        pub(crate) name: String,
        pub(crate) created_at: DateTimeUtc,
        pub(crate) expires_at: DateTimeUtc,
        pub(crate) ended_at: Option<DateTimeUtc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub(super) mod interaction {
    //! `interaction`.

    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "interaction")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) id: Uuid,
        pub(crate) pushed: Vec<u8>,
        pub(crate) session: Option<Vec<u8>>,
        pub(crate) opened_at: DateTimeUtc,
        pub(crate) expires_at: DateTimeUtc,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub(super) mod login_attempt {
    //! `login_attempt`.

    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "login_attempt")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) hash: Vec<u8>,
        pub(crate) browser: Vec<u8>,
        pub(crate) nonce: String,
        pub(crate) verifier: String,
        pub(crate) destination: String,
        pub(crate) interaction: Option<Uuid>,
        pub(crate) expires_at: DateTimeUtc,
        pub(crate) used_at: Option<DateTimeUtc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

impl From<member_session::Model> for Session {
    fn from(row: member_session::Model) -> Self {
        Self {
            hash: SecretHash(row.hash),
            psu: Psu {
                issuer: row.psu_issuer,
                subject: row.psu_subject,
            },
            name: row.name,
            expires_at: row.expires_at,
        }
    }
}

impl From<interaction::Model> for Interaction {
    fn from(row: interaction::Model) -> Self {
        Self {
            id: InteractionId::from(row.id),
            pushed: PushedKey(row.pushed),
            session: row.session.map(SecretHash),
            opened_at: row.opened_at,
        }
    }
}

impl From<login_attempt::Model> for LoginAttempt {
    fn from(row: login_attempt::Model) -> Self {
        Self {
            nonce: row.nonce,
            verifier: row.verifier,
            destination: row.interaction.map_or(Destination::Me, |id| {
                Destination::Approve(InteractionId::from(id))
            }),
        }
    }
}
